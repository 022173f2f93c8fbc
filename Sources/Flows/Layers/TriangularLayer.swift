import Foundation
import Networks
import Numerics
import Tensors

/// y = L U x + bias, ℓ = Σ logDiagonal, by two products with the triangular factors (Kingma and
/// Dhariwal 2018, eq. 10, without their permutation). O(K²) a lane.
final class TriangularLayer: NormalizingLayer {
  private let dimension: Int
  private let columns: Int
  private let lower: Int
  private let upper: Int
  private let logDiagonal: Int
  private let bias: Int
  /// L, U and the cotangent of one of them, dense [K, K].
  private let factorL: FloatBuffer
  private let factorU: FloatBuffer
  private let dFactor: FloatBuffer
  /// v = U x and its cotangent, [K, columns].
  private let middle: FloatBuffer
  private let dMiddle: FloatBuffer

  /// `lower`, `upper`, `logDiagonal`, `bias`: offsets in the flat vector.
  init(dimension: Int, columns: Int, lower: Int, upper: Int, logDiagonal: Int, bias: Int) {
    self.dimension = dimension
    self.columns = columns
    self.lower = lower
    self.upper = upper
    self.logDiagonal = logDiagonal
    self.bias = bias
    factorL = FloatBuffer(dimension * dimension)
    factorU = FloatBuffer(dimension * dimension)
    dFactor = FloatBuffer(dimension * dimension)
    middle = FloatBuffer(dimension * columns)
    dMiddle = FloatBuffer(dimension * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    buildFactors(parameters)
    product(.plain, factorU.pointer, x, into: middle.pointer)
    for row in 0..<dimension {
      (y + row * columns).update(repeating: parameters[bias + row], count: columns)
    }
    product(.plain, factorL.pointer, middle.pointer, beta: 1, into: y)
    var total: Float = 0
    for row in 0..<dimension { total += parameters[logDiagonal + row] }
    for column in 0..<columns { logDeterminants[column] += total }
  }

  /// With v = U x: dL = dy vᵀ, dv = Lᵀ dy, dU = dv xᵀ, dx = Uᵀ dv; U_ii = e^d_i gives
  /// dd_i = dU_ii e^d_i + Σ dℓ.
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    product(.transposed, factorL.pointer, cotangent, into: dMiddle.pointer)
    if let gradient {
      outerProduct(cotangent, middle.pointer)
      for row in 0..<dimension {
        gradient[bias + row] += sum(cotangent + row * columns, columns)
        for column in 0..<row {
          gradient[lower + row * dimension + column] += dFactor.pointer[row * dimension + column]
        }
      }
      outerProduct(dMiddle.pointer, x)
      let dTotal = sum(dLogDeterminants, columns)
      for row in 0..<dimension {
        let diagonal = row * dimension + row
        gradient[logDiagonal + row] +=
          dFactor.pointer[diagonal] * factorU.pointer[diagonal] + dTotal
        for column in row + 1..<max(dimension, row + 1) {
          gradient[upper + row * dimension + column] += dFactor.pointer[row * dimension + column]
        }
      }
    }
    product(.transposed, factorU.pointer, dMiddle.pointer, into: cotangent)
  }

  private func buildFactors(_ parameters: UnsafePointer<Float>) {
    for row in 0..<dimension {
      let start = row * dimension
      for column in 0..<row { factorL.pointer[start + column] = parameters[lower + start + column] }
      factorL.pointer[start + row] = 1
      factorU.pointer[start + row] = exp(parameters[logDiagonal + row])
      for column in row + 1..<max(dimension, row + 1) {
        factorU.pointer[start + column] = parameters[upper + start + column]
      }
    }
  }

  private func product(
    _ orientation: Orientation, _ matrix: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>, beta: Float = 0, into y: UnsafeMutablePointer<Float>
  ) {
    multiply(
      orientation, .plain, m: dimension, n: columns, k: dimension, matrix, lda: dimension, x,
      ldb: columns, beta: beta, into: y, ldc: columns)
  }

  /// dFactor = a bᵀ, summed over columns.
  private func outerProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) {
    multiply(
      .plain, .transposed, m: dimension, n: dimension, k: columns, a, lda: columns, b,
      ldb: columns, into: dFactor.pointer, ldc: dimension)
  }
}

/// Sum of `count` numbers, a multiple of 16, in sixteen partial sums.
func sum(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
  var partial = Vector(repeating: 0)
  for index in stride(from: 0, to: count, by: 16) { partial += load(values + index) }
  return partial.sum()
}
