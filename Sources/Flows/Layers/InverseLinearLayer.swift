import Foundation
import Networks
import Tensors

/// x = W⁻¹ (y − bias) with W = L U and its dense inverse made at plan time. O(K²) a lane.
final class InverseLinearLayer: GeneratingLayer {
  private let dimension: Int
  private let columns: Int
  private let bias: Int
  private let inverse: FloatBuffer
  private let scratch: FloatBuffer

  /// `bias`: offset in the flat vector; `inverse`: W⁻¹, row-major [K, K].
  init(dimension: Int, columns: Int, bias: Int, inverse: [Float]) {
    self.dimension = dimension
    self.columns = columns
    self.bias = bias
    self.inverse = FloatBuffer(inverse)
    scratch = FloatBuffer(dimension * columns)
  }

  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    for row in 0..<dimension {
      let shift = parameters[bias + row]
      for index in row * columns..<(row + 1) * columns {
        scratch.pointer[index] = values[index] - shift
      }
    }
    multiply(
      m: dimension, n: columns, k: dimension, inverse.pointer, lda: dimension, scratch.pointer,
      ldb: columns, into: values, ldc: columns)
  }

  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    scratch.pointer.update(from: cotangent, count: scratch.count)
    multiply(
      .transposed, .plain, m: dimension, n: columns, k: dimension, inverse.pointer,
      lda: dimension, scratch.pointer, ldb: columns, into: cotangent, ldc: columns)
  }
}

/// (L U)⁻¹ in Double by substitution, one column of the identity at a time: L v = e, then U x = v.
/// O(K³). The slices start at the tensors of one `luLinear`.
func triangularInverse(
  lower: ArraySlice<Float>, upper: ArraySlice<Float>, logDiagonal: ArraySlice<Float>,
  dimension: Int
) -> [Float] {
  var inverse = [Float](repeating: 0, count: dimension * dimension)
  var x = [Double](repeating: 0, count: dimension)
  for column in 0..<dimension {
    for row in 0..<dimension {
      var value: Double = row == column ? 1 : 0
      // Above the unit entry the solution of L v = e is zero.
      for inner in column..<max(row, column) {
        value -= Double(lower[lower.startIndex + row * dimension + inner]) * x[inner]
      }
      x[row] = row < column ? 0 : value
    }
    for row in (0..<dimension).reversed() {
      var value = x[row]
      for inner in row + 1..<max(dimension, row + 1) {
        value -= Double(upper[upper.startIndex + row * dimension + inner]) * x[inner]
      }
      x[row] = value * exp(-Double(logDiagonal[logDiagonal.startIndex + row]))
      inverse[row * dimension + column] = Float(x[row])
    }
  }
  return inverse
}
