import Numerics

/// B = S N Sᵀ, near the identity: what is left of the covariance after the preconditioner.
final class WhitenedCovariance {
  let map: WhiteningMap
  let product: CovarianceProduct
  private let pulled: Scratch
  private let spread: Scratch

  init(_ map: WhiteningMap, _ product: CovarianceProduct) {
    self.map = map
    self.product = product
    pulled = Scratch(map.dimension)
    spread = Scratch(map.dimension)
  }

  /// y = B x; the two must not be the same.
  func apply(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>) {
    map.applyTransposed(x, into: pulled.pointer, scratch: spread.pointer)
    product.apply(pulled.pointer, into: spread.pointer)
    map.apply(spread.pointer, into: y)
  }

  /// xᵀ G N Gᵀ x, without the low-rank part of S.
  func factorForm(_ x: UnsafePointer<Double>) -> Double {
    map.factor.applyTransposed(x, into: pulled.pointer)
    product.apply(pulled.pointer, into: spread.pointer)
    return VectorKernels.dot(pulled.pointer, spread.pointer, map.dimension)
  }
}
