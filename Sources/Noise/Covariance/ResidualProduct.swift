import Maps
import Numerics
import Randomness

/// The covariance A diag(s) Aᵀ of the independent elements of a decoder residual, applied; A in single
/// precision. What the pictures have in common, A f, is `CovarianceParts.columns`.
final class ResidualProduct {
  private let plan: any MapPlan
  private let variances: [Float]
  private let picture: UnsafeMutableBufferPointer<Float>
  private let image: UnsafeMutableBufferPointer<Float>

  init(_ covariance: ResidualCovariance, _ map: any LinearOperator) throws(PlanError) {
    plan = try map.makePlan(lanes: 1)
    variances = covariance.variances
    picture = .allocate(capacity: covariance.count)
    picture.initialize(repeating: 0)
    image = .allocate(capacity: map.codomain.count)
    image.initialize(repeating: 0)
  }

  deinit {
    picture.deallocate()
    image.deallocate()
  }

  /// y ← y + A diag(s) Aᵀ x. `x`, `y`: D data. Scaled to the largest element of x, so that small
  /// vectors do not underflow.
  func add(_ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>) {
    var largest = 0.0
    for datum in 0..<image.count { largest = max(largest, abs(x[datum])) }
    guard largest > 0 else { return }
    for datum in 0..<image.count { image[datum] = Float(x[datum] / largest) }
    var pictureSpan = picture.mutableSpan
    plan.vjp(image.span, into: &pictureSpan)
    for index in 0..<picture.count { picture[index] *= variances[index] }
    apply()
    for datum in 0..<image.count { y[datum] += largest * Double(image[datum]) }
  }

  /// y ← y + A √s z with z white.
  func addDraw(_ stream: inout RandomStream, to y: UnsafeMutablePointer<Double>) {
    for index in 0..<picture.count {
      picture[index] = variances[index].squareRoot() * Float(stream.normal())
    }
    apply()
    for datum in 0..<image.count { y[datum] += Double(image[datum]) }
  }

  /// About the diagonal of A diag(s) Aᵀ: mean squares of 32 images of √s times random signs. Only a
  /// preconditioner is made of it.
  func marginalVariances(_ key: RandomKey) -> [Double] {
    let count = 32
    var stream = key.stream()
    var sums = [Double](repeating: 0, count: image.count)
    for _ in 0..<count {
      for index in 0..<picture.count {
        picture[index] = variances[index].squareRoot() * (stream.next() >> 63 == 0 ? 1 : -1)
      }
      apply()
      for datum in 0..<image.count { sums[datum] += Double(image[datum]) * Double(image[datum]) }
    }
    return sums.map { $0 / Double(count) }
  }

  private func apply() {
    var imageSpan = image.mutableSpan
    plan.apply(picture.span, into: &imageSpan)
  }
}
