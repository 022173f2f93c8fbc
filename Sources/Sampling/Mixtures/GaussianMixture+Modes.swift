import Foundation

/// The distinct ones among `modes`, highest first: one closer than `distance` to a higher one is the
/// same.
///
/// The distance is Mahalanobis' in the mean of both covariances, so the same seen from either:
/// d² = (μ_1 − μ_2)ᵀ (½ (Σ_1 + Σ_2))⁻¹ (μ_1 − μ_2). Two is where the sum of two equal Gaussians ceases
/// to have two maxima: closer approximations describe one hill, and counted apart would count it twice.
package func distinctModes(
  _ modes: [LaplaceApproximation], distance: Double = 2
) -> [LaplaceApproximation] {
  precondition(distance >= 0)
  var distinct: [LaplaceApproximation] = []
  for mode in modes.sorted(by: { $0.logDensityAtMode > $1.logDensityAtMode }) {
    let isNew = distinct.allSatisfy { squaredDistance($0, mode) > distance * distance }
    if isNew { distinct.append(mode) }
  }
  return distinct
}

private func squaredDistance(_ a: LaplaceApproximation, _ b: LaplaceApproximation) -> Double {
  let mean = zip(a.metric.covariance, b.metric.covariance).map { ($0 + $1) / 2 }
  guard let metric = DenseMetric(covariance: mean, dimension: a.mode.count) else {
    return .infinity
  }
  return metric.squaredLength(of: zip(a.mode, b.mode).map { $0 - $1 })
}

extension GaussianMixture {
  /// One component a mode, weights ∝ height × volume: p(μ_k) √det Σ_k, which is the evidence of each
  /// Laplace approximation.
  /// - Precondition: at least one mode.
  public init(_ modes: [LaplaceApproximation], degreesOfFreedom: Double = .infinity) {
    precondition(!modes.isEmpty, "a mixture takes a mode")
    let top = modes.map(\.logEvidence).max() ?? 0
    self.init(
      components: modes.map {
        Component(weight: exp($0.logEvidence - top), mean: $0.mode, metric: $0.metric)
      }, degreesOfFreedom: degreesOfFreedom)
  }

  /// The same components, each with at least that share: as a proposal, one that has not written off
  /// the modes whose volume its Gaussians may have missed.
  /// - Precondition: 0 ≤ `share` ≤ 1/K.
  public func withWeights(atLeast share: Double) -> GaussianMixture {
    let count = Double(components.count)
    precondition(0 <= share && share * count <= 1)
    // share + (1 − K share) w sums to one and keeps the order.
    return GaussianMixture(
      components: components.map {
        Component(
          weight: share + (1 - count * share) * $0.weight, mean: $0.mean, metric: $0.metric)
      }, degreesOfFreedom: degreesOfFreedom)
  }
}
