import Tensors

/// y_j = x_order[j]; ℓ = 0. The vjp is the inverse permutation.
final class PermutationLayer: NormalizingLayer {
  private let order: [Int]
  private let columns: Int
  private let scratch: FloatBuffer

  init(order: [Int], columns: Int) {
    self.order = order
    self.columns = columns
    scratch = FloatBuffer(order.count * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    for (target, source) in order.enumerated() {
      (y + target * columns).update(from: x + source * columns, count: columns)
    }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    scratch.pointer.update(from: cotangent, count: scratch.count)
    for (target, source) in order.enumerated() {
      (cotangent + source * columns)
        .update(from: scratch.pointer + target * columns, count: columns)
    }
  }
}
