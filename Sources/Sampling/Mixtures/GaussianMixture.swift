import Foundation
import Numerics
import Randomness

/// A mixture q(x) = Σ_k w_k q_k(x) of Gaussians N(μ_k, Σ_k), or of multivariate Student t of the same
/// centers and scale matrices; normalized.
///
///     δ² = (x − μ)ᵀ Σ⁻¹ (x − μ) = ‖ξ‖²,   ξ = L⁻¹ (x − μ),   Σ = L Lᵀ
///     ln q_k = −½ (D ln 2π + ln det Σ + δ²)                                              Gaussian
///     ln q_k = ln Γ(½(ν+D)) − ln Γ(½ν) − ½ D ln νπ − ½ ln det Σ − ½ (ν+D) ln(1 + δ²/ν)   Student
///
/// Why t rather than Gaussians of a larger covariance for heavier tails: one inflated by s in all D
/// directions puts its draws in a shell of radius s √D, which for D = 40 hardly meets the bulk; a t
/// divides all of ξ by one √(χ²_ν/ν), so half its draws stay inside and the rest reach outwards at every
/// scale. Σ stays the scale of the core; the covariance is ν/(ν − 2) Σ. ν = ∞ is the Gaussian.
public struct GaussianMixture: Sendable {
  public struct Component: Sendable {
    /// w_k in 0…1.
    public let weight: Double
    /// μ_k, D.
    public let mean: [Double]
    /// Σ_k.
    public let metric: DenseMetric

    /// - Precondition: a weight not below zero, a metric of the mean's dimension.
    public init(weight: Double, mean: [Double], metric: DenseMetric) {
      precondition(weight >= 0 && weight.isFinite, "a weight is finite and not below zero")
      precondition(mean.count == metric.dimension)
      self.weight = weight
      self.mean = mean
      self.metric = metric
    }
  }

  /// Their weights sum to one.
  public let components: [Component]
  /// ν, ∞ for Gaussians.
  public let degreesOfFreedom: Double
  /// ln w_k + the constants of ln q_k.
  private let logConstants: [Double]

  public var dimension: Int { components[0].mean.count }
  public var weights: [Double] { components.map(\.weight) }

  /// Weights are divided by their sum.
  /// - Precondition: at least one component, all of one dimension, a weight above zero, ν > 0.
  public init(components: [Component], degreesOfFreedom: Double = .infinity) {
    let total = components.reduce(0) { $0 + $1.weight }
    precondition(total > 0, "a mixture has a component of weight above zero")
    precondition(components.allSatisfy { $0.mean.count == components[0].mean.count })
    precondition(degreesOfFreedom > 0, "degrees of freedom are above zero")
    self.components = components.map {
      Component(weight: $0.weight / total, mean: $0.mean, metric: $0.metric)
    }
    self.degreesOfFreedom = degreesOfFreedom
    let d = Double(components[0].mean.count)
    let nu = degreesOfFreedom
    var peak = -0.5 * d * log(2 * .pi)
    if nu.isFinite { peak = lgamma((nu + d) / 2) - lgamma(nu / 2) - 0.5 * d * log(nu * .pi) }
    logConstants = self.components.map { component -> Double in
      log(component.weight) + peak - 0.5 * component.metric.logDeterminant
    }
  }

  /// The same components with other tails.
  public func withDegreesOfFreedom(_ degreesOfFreedom: Double) -> GaussianMixture {
    GaussianMixture(components: components, degreesOfFreedom: degreesOfFreedom)
  }

  /// ln w_k q_k(x) of each component, nats. O(K D²).
  public func logComponents(at position: [Double]) -> [Double] {
    let d = Double(dimension)
    let nu = degreesOfFreedom
    return components.indices.map { k in
      let squared = components[k].metric.squaredLength(
        of: zip(position, components[k].mean).map { $0 - $1 })
      return logConstants[k]
        - 0.5 * (nu.isFinite ? (nu + d) * log1p(squared / nu) : squared)
    }
  }

  /// ln q(x), nats.
  public func logDensity(at position: [Double]) -> Double {
    logComponents(at: position).reduce(-.infinity, logSumExp)
  }

  /// w_k q_k(x)/q(x): the probability that component k made x; sums to one.
  public func responsibilities(at position: [Double]) -> [Double] {
    let logs = logComponents(at: position)
    let total = logs.reduce(-.infinity, logSumExp)
    // So far out that all are zero the nearest would take all, but cannot be told.
    guard total > -.infinity else { return weights }
    return logs.map { exp($0 - total) }
  }

  /// The component that most probably made x.
  public func mostProbableComponent(at position: [Double]) -> Int {
    let logs = logComponents(at: position)
    return logs.indices.max { logs[$0] < logs[$1] } ?? 0
  }

  /// The component whose share of 0…1, laid end to end, holds `uniform`.
  public func component(at uniform: Double) -> Int {
    index(of: uniform, in: weights)
  }

  /// An exact draw of component k: μ + L ξ/√(χ²_ν/ν). O(D²).
  public func draw(component k: Int, from stream: inout RandomStream) -> [Double] {
    var direction = stream.normals(dimension)
    if degreesOfFreedom.isFinite {
      let scale = (degreesOfFreedom / (2 * stream.gamma(shape: degreesOfFreedom / 2))).squareRoot()
      for i in direction.indices { direction[i] *= scale }
    }
    return zip(components[k].mean, components[k].metric.displaced(direction)).map { $0 + $1 }
  }

  /// An exact draw.
  public func draw(from stream: inout RandomStream) -> [Double] {
    draw(component: component(at: stream.uniform()), from: &stream)
  }
}

/// The first index whose cumulated share exceeds `uniform` of the total; shares of zero are never it.
func index(of uniform: Double, in shares: [Double]) -> Int {
  let target = uniform * shares.reduce(0, +)
  var sum = 0.0
  var last = 0
  for (index, share) in shares.enumerated() where share > 0 {
    sum += share
    if target < sum { return index }
    last = index
  }
  return last
}
