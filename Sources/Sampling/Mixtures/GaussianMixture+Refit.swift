import Foundation
import Numerics

extension GaussianMixture {
  /// The mixture with its components moved to the weighted draws that each is responsible for.
  ///
  ///     ρ_sk = W_s r_k(x_s),   t_sk = (ν + D)/(ν + δ²_sk) (1 for Gaussians)
  ///     w_k = Σ ρ,   μ_k = Σ ρ t x / Σ ρ t,   Σ_k = Σ ρ t (x − μ_k)(x − μ_k)ᵀ / Σ ρ
  ///
  /// Source: Cappé, Douc, Guillin, Marin and Robert, "Adaptive importance sampling in general mixture
  /// classes", 2008, eqs. 12–14 and 21–23. Departures, for draws that are few against D²: Σ_k is shrunk
  /// toward a multiple of the old one (`shrunk`), the old mean counts as one draw where the draws count
  /// n = (Σ ρ)²/Σ ρ², and a component keeps a tenth of an equal share. A component that owns nothing stays where it is. O(N K D²).
  /// - Parameters:
  ///   - positions: N × D.
  ///   - weights: W_s, N, that sum to one.
  package func refitted(to positions: [Double], weights: [Double]) -> GaussianMixture {
    let d = dimension
    precondition(positions.count == weights.count * d)
    var fits = components.map { _ in ComponentFit(dimension: d) }
    for (s, weight) in weights.enumerated() where weight > 0 {
      let position = Array(positions[s * d..<(s + 1) * d])
      let logs = logComponents(at: position)
      let total = logs.reduce(-.infinity, logSumExp)
      guard total > -.infinity else { continue }
      for k in components.indices where logs[k] - total > -700 {
        fits[k].add(
          position, weight: weight * exp(logs[k] - total), scale: coreWeight(position, component: k)
        )
      }
    }
    // Draws that no component could have made say nothing.
    guard fits.contains(where: { $0.total > 0 }) else { return self }
    let share = 0.1 / Double(components.count)
    return GaussianMixture(
      components: zip(components, fits).map { $1.component(from: $0) },
      degreesOfFreedom: degreesOfFreedom
    ).withWeights(atLeast: share)
  }

  /// t_sk, small for draws far out.
  private func coreWeight(_ position: [Double], component k: Int) -> Double {
    guard degreesOfFreedom.isFinite else { return 1 }
    let squared = components[k].metric.squaredLength(
      of: zip(position, components[k].mean).map { $0 - $1 })
    return (degreesOfFreedom + Double(dimension)) / (degreesOfFreedom + squared)
  }
}

/// The weighted moments of one component's draws, one draw at a time.
private struct ComponentFit {
  /// Σ ρ, Σ ρ², Σ ρ t.
  private(set) var total = 0.0
  private var squares = 0.0
  private var core = 0.0
  /// Σ ρ t x/Σ ρ t so far, and Σ ρ t (x − mean)(x − mean)ᵀ.
  private var mean: [Double]
  private var scatter: RunningMoments

  init(dimension: Int) {
    mean = [Double](repeating: 0, count: dimension)
    scatter = RunningMoments(dimension: dimension, shape: .full)
  }

  mutating func add(_ position: [Double], weight: Double, scale: Double) {
    total += weight
    squares += weight * weight
    let added = weight * scale
    guard added > 0 else { return }
    // West 1979: the weighted form of Welford's update.
    let difference = zip(position, mean).map { $0 - $1 }
    let before = core
    core += added
    addScaled(added / core, difference, to: &mean)
    scatter.addScatter(of: difference, weight: added * before / core)
  }

  func component(from old: GaussianMixture.Component) -> GaussianMixture.Component {
    guard squares > 0 else { return .init(weight: 0, mean: old.mean, metric: old.metric) }
    let count = total * total / squares
    let newMean = zip(mean, old.mean).map { (count * $0 + $1) / (count + 1) }
    let whitened = old.metric.whitenedCovariance(scatter.scatter.map { $0 / total })
    let inner = DenseMetric(
      covariance: shrunk(whitened, dimension: mean.count, count: count), dimension: mean.count)
    guard let metric = inner.flatMap(old.metric.unwhitened)
    else { return .init(weight: total, mean: old.mean, metric: old.metric) }
    return .init(weight: total, mean: newMean, metric: metric)
  }
}

/// (1 − ρ) S + ρ (tr S/D) I for a covariance S of n draws in D dimensions.
///
///     ρ = min(1, ((1 − 2/D) tr S² + tr² S)/((n + 1 − 2/D) (tr S² − tr² S/D)))
///
/// The eigenvalues of a covariance estimated from n draws spread over (1 ± √(D/n))², and a proposal too
/// narrow in one direction ruins the weights. ρ is what minimizes the expected squared error for normal
/// draws; large where S cannot be told from a multiple of I, which in coordinates whitened by the old
/// metric says that the old shape was right.
/// Source: Chen, Wiesel, Eldar and Hero, "Shrinkage algorithms for MMSE covariance estimation", 2010,
/// eq. 23 (oracle approximating shrinkage).
func shrunk(_ covariance: [Double], dimension: Int, count: Double) -> [Double] {
  let d = Double(dimension)
  let trace = (0..<dimension).reduce(0) { $0 + covariance[$1 * (dimension + 1)] }
  let squares = dot(covariance, covariance)
  let spread = (count + 1 - 2 / d) * (squares - trace * trace / d)
  // One dimension, or a multiple of I to the last bit, has nothing to shrink.
  let intensity = spread > 0 ? min(1, max(0, (1 - 2 / d) * squares + trace * trace) / spread) : 0
  var result = covariance.map { (1 - intensity) * $0 }
  for i in 0..<dimension { result[i * (dimension + 1)] += intensity * trace / d }
  return result
}
