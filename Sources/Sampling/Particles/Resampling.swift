import Foundation

/// Systematic resampling: N ancestors, in order, of N weighted particles.
///
/// Particle i gets ⌊N W_i⌋ or ⌈N W_i⌉ children, W normalized weights: the points (u + j)/N, j < N,
/// fall into the cumulated weights. Unbiased, and of lower variance than multinomial draws; children
/// of one ancestor stand side by side, so that diagnostics of the order see their likeness.
/// Source: Kitagawa, "Monte Carlo filter and smoother", 1996, appendix.
/// - Parameter uniform: u in 0..<1.
/// - Precondition: the weights are finite, not negative, and one of them is above zero.
func systematicAncestors(weights: [Double], uniform: Double) -> [Int] {
  let count = weights.count
  let total = weights.reduce(0, +)
  precondition(total > 0 && total.isFinite)
  var ancestors: [Int] = []
  ancestors.reserveCapacity(count)
  var cumulated = 0.0
  for (index, weight) in weights.enumerated() {
    cumulated += weight
    let reached = cumulated / total * Double(count)
    while ancestors.count < count, Double(ancestors.count) + uniform < reached {
      ancestors.append(index)
    }
  }
  // Rounding may leave the last point beyond the last weight.
  let last = weights.lastIndex { $0 > 0 }!
  while ancestors.count < count { ancestors.append(last) }
  return ancestors
}

/// The weights that a step of the inverse temperature gives particles of one island.
struct ImportanceWeights {
  /// e^(Δβ (L_i − max L)), at most 1; zero where a likelihood is.
  let weights: [Double]
  /// log (1/N) Σ e^(Δβ L_i), nats: the island's share of the log evidence.
  let logMean: Double
  /// (Σ w)²/Σ w², in 1…N.
  let effectiveSampleSize: Double

  /// - Precondition: some log likelihood is above −∞, `step` > 0.
  init(logLikelihoods: ArraySlice<Double>, step: Double) {
    let largest = logLikelihoods.max()!
    precondition(largest > -.infinity && step > 0)
    weights = logLikelihoods.map { exp(step * ($0 - largest)) }
    let sum = weights.reduce(0, +)
    logMean = step * largest + log(sum / Double(weights.count))
    effectiveSampleSize = sum * sum / weights.reduce(0) { $0 + $1 * $1 }
  }
}

/// The largest inverse temperature up to 1 that leaves `fraction` of the particles effective, summed
/// over islands; those without likelihood are not counted, since no step is small enough for them.
///
/// By bisection: the effective size falls with the step.
/// Source: Jasra, Stephens, Doucet and Tsagaris, "Inference for Lévy-driven stochastic volatility models
/// via adaptive sequential Monte Carlo", 2011, section 3.2; islands are each resampled by themselves.
/// - Parameter islands: log likelihoods (nats) of the particles of each island.
func nextInverseTemperature(
  after current: Double, islands: [ArraySlice<Double>], fraction: Double
) -> Double {
  let wanted =
    fraction * Double(islands.reduce(0) { $0 + $1.count(where: { $0 > -.infinity }) })
  func suffices(_ step: Double) -> Bool {
    let effective = islands.reduce(0) {
      $0 + ImportanceWeights(logLikelihoods: $1, step: step).effectiveSampleSize
    }
    return effective >= wanted
  }
  guard !suffices(1 - current) else { return 1 }
  var (low, high) = (0.0, 1 - current)
  // A relative accuracy of 10⁻³ of the step, however small the step.
  while high - low > 1e-3 * high {
    // Halving on the scale of logarithms until a step is found that suffices.
    let middle = low == 0 ? high / 16 : (low + high) / 2
    guard middle > 1e-300 else { break }
    if suffices(middle) { low = middle } else { high = middle }
  }
  return min(1, max(current + low, current.nextUp))
}
