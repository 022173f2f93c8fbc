import Foundation
import Numerics
import Probability
import Randomness
import Workers

/// The Gaussian that has a log density's height and curvature at a mode,
///
///     p(x) ≈ p(μ) exp(−½ (x − μ)ᵀ Σ⁻¹ (x − μ)),   Σ⁻¹ = −∂² ln p/∂x∂xᵀ at μ,
///     ln Z = ln p(μ) + ½ D ln 2π + ½ ln det Σ
///
/// with p not normalized and Z its integral. Exact for a Gaussian p.
public struct LaplaceApproximation: Sendable {
  /// μ, D.
  public let mode: [Double]
  /// ln p(μ), nats.
  public let logDensityAtMode: Double
  /// Σ.
  public let metric: DenseMetric
  /// Why Σ is not from the Hessian but the metric given in its place; nil when it is.
  public let fallback: String?

  public init(
    mode: [Double], logDensityAtMode: Double, metric: DenseMetric, fallback: String? = nil
  ) {
    precondition(mode.count == metric.dimension)
    self.mode = mode
    self.logDensityAtMode = logDensityAtMode
    self.metric = metric
    self.fallback = fallback
  }

  /// ln Z, nats.
  public var logEvidence: Double {
    logDensityAtMode + 0.5 * (Double(mode.count) * log(2 * .pi) + metric.logDeterminant)
  }

  /// ln N(x; μ, Σ), nats, normalized. O(D²).
  public func logDensity(at position: [Double]) -> Double {
    let squared = metric.squaredLength(of: zip(position, mode).map { $0 - $1 })
    return logDensityAtMode - logEvidence - 0.5 * squared
  }

  /// An exact draw μ + L ξ. O(D²).
  public func draw(from stream: inout RandomStream) -> [Double] {
    zip(mode, metric.displaced(stream.normals(mode.count))).map { $0 + $1 }
  }

  /// Where no direction's curvature is smaller than this times the metric's: a deviation ten times as
  /// wide as the guess says more of the guess, or of a saddle, than of the posterior.
  static let smallestCurvature = 0.01

  /// From an expansion at a mode.
  init(_ hessian: Hessian) {
    let smallest = hessian.whitenedEigenvalues[0]
    var fallback: String?
    let exact =
      smallest >= Self.smallestCurvature
      ? hessian.metric.covariance(ofWhitenedPrecision: hessian.whitenedPrecision) : nil
    if exact == nil {
      fallback = String(
        format: "the curvature is %.3g of the metric's in one direction: not a maximum, or hardly "
          + "one; the metric stands in for the Hessian", smallest)
    }
    self.init(
      mode: hessian.position, logDensityAtMode: hessian.logDensity,
      metric: exact ?? hessian.metric, fallback: fallback)
  }
}

/// Laplace approximations at the points, all together; nil where the density is not finite.
///
/// Each is first polished by at most `polishingSteps` Newton steps x ← x + Σ ∇ ln p, as long as one
/// promises more than 10⁻⁴ nats (½ ∇ᵀ Σ ∇) and keeps its promise of going up; an optimizer's tolerance
/// is relative to where it started. 2 D + 1 gradients a point for each step and once more.
/// Throws what `makeEvaluator` throws.
package func laplaceApproximations(
  of density: any LogDensity, at points: [ExpansionPoint], polishingSteps: Int = 2,
  lanesPerBlock: Int? = nil, pool: WorkerPool
) throws -> [LaplaceApproximation?] {
  precondition(polishingSteps >= 0)
  var best = try hessians(of: density, at: points, lanesPerBlock: lanesPerBlock, pool: pool)
  var live = Array(points.indices)
  for _ in 0..<polishingSteps {
    let trials = live.compactMap { index -> (index: Int, point: ExpansionPoint)? in
      guard let hessian = best[index], let position = hessian.newtonPosition else { return nil }
      return (
        index,
        ExpansionPoint(
          problem: points[index].problem, position: position, metric: points[index].metric)
      )
    }
    guard !trials.isEmpty else { break }
    let found = try hessians(
      of: density, at: trials.map(\.point), lanesPerBlock: lanesPerBlock, pool: pool)
    live = []
    for (trial, hessian) in zip(trials, found) {
      guard let hessian, let old = best[trial.index], hessian.logDensity > old.logDensity
      else { continue }
      best[trial.index] = hessian
      live.append(trial.index)
    }
  }
  return best.map { $0.map(LaplaceApproximation.init) }
}

extension Hessian {
  /// x₀ + Σ ∇ ln p, the maximum of the expansion; nil when it has none or the step is not worth it.
  fileprivate var newtonPosition: [Double]? {
    guard let covariance = metric.covariance(ofWhitenedPrecision: whitenedPrecision)
    else { return nil }
    var step = gradient
    covariance.velocity(of: gradient, into: &step)
    guard 0.5 * dot(step, gradient) > 1e-4 else { return nil }
    return zip(position, step).map { $0 + $1 }
  }
}
