import Foundation
import Numerics
import Tensors

/// y = e^logScale·(A (x − mean)), ℓ = Σ logScale, for the parameters of a flow in training, whose rows of A
/// are orthonormal to rounding. Nothing in it is trained: the vjp leaves the gradient alone.
final class WhiteningLayer: NormalizingLayer {
  private let slots: PlacedWhitening
  private let columns: Int
  /// x − mean, then a scaled cotangent; [K, columns].
  private let scratch: FloatBuffer

  init(_ slots: PlacedWhitening, columns: Int) {
    self.slots = slots
    self.columns = columns
    scratch = FloatBuffer(slots.dimension * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    let dimension = slots.dimension
    for row in 0..<dimension {
      let center = parameters[slots.mean + row]
      for column in row * columns..<(row + 1) * columns {
        scratch.pointer[column] = x[column] - center
      }
    }
    multiply(
      m: dimension, n: columns, k: dimension, parameters + slots.axes, lda: dimension,
      scratch.pointer, ldb: columns, into: y, ldc: columns)
    var total: Float = 0
    for row in 0..<dimension {
      let logScale = parameters[slots.logScale + row]
      total += logScale
      let scale = exp(logScale)
      for column in row * columns..<(row + 1) * columns { y[column] *= scale }
    }
    for column in 0..<columns { logDeterminants[column] += total }
  }

  /// dx = Aᵀ (e^logScale·dy).
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    let dimension = slots.dimension
    for row in 0..<dimension {
      let scale = exp(parameters[slots.logScale + row])
      for column in row * columns..<(row + 1) * columns {
        scratch.pointer[column] = cotangent[column] * scale
      }
    }
    multiply(
      .transposed, .plain, m: dimension, n: columns, k: dimension, parameters + slots.axes,
      lda: dimension, scratch.pointer, ldb: columns, into: cotangent, ldc: columns)
  }
}
