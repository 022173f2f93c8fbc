import Diagnostics
import Foundation
import Numerics
import Probability
import Randomness

/// Weighted draws of one problem, and how far they can be relied on.
public struct ImportanceRun: Sendable {
  /// What the draws were made from: component k is still the one of mode k.
  public let mixture: GaussianMixture
  /// N × D.
  public let positions: [Double]
  /// Nats, N.
  public let logDensities: [Double]
  /// Smoothed weights of the N draws, with k̂.
  public let smoothing: ParetoSmoothing
  /// k̂ of each round; the draws are those of the smallest.
  public let shapes: [Double]

  /// ln Z of the density, nats, from the smoothed weights; `smoothing.rawLogMeanWeight` without.
  public var logEvidence: Double { smoothing.logMeanWeight }
  /// Its standard error by the delta method; to be relied on only where `reason` is nil.
  public var logEvidenceError: Double { smoothing.logMeanWeightError }
  /// (Σ W)²/Σ W², of which draws resampled from here cannot have more.
  public var effectiveSampleSize: Double { smoothing.effectiveSampleSize }
  /// In words why to fall back on a chain; nil when the draws can be relied on.
  public var reason: String? { smoothing.reason }

  /// The mass of each mode, Σ_s W_s r_k(x_s), with its standard error √(Σ_s W_s² (r_k(x_s) − mass)²).
  /// O(N K D²).
  public var modeWeights: [(weight: Double, error: Double)] {
    let d = mixture.dimension
    let weights = smoothing.logWeights.map(exp)
    let responsibilities = weights.indices.map {
      mixture.responsibilities(at: Array(positions[$0 * d..<($0 + 1) * d]))
    }
    return mixture.components.indices.map { k in
      let mass = zip(weights, responsibilities).reduce(0) { $0 + $1.0 * $1.1[k] }
      let variance = zip(weights, responsibilities).reduce(0) {
        let deviation = $1.0 * ($1.1[k] - mass)
        return $0 + deviation * deviation
      }
      return (mass, variance.squareRoot())
    }
  }

  /// Equally weighted draws, each of the N taken ⌊M W_s⌋ or ⌈M W_s⌉ times (systematic resampling; Kitagawa
  /// 1996), M = chains × draws, then dealt to the chains at random: what a run of chains looks like.
  /// Draws repeat; what they are worth in all is `effectiveSampleSize`, whatever an estimate from the
  /// traces says.
  /// - Precondition: counts above zero.
  public func resampled(chains: Int, draws: Int, key: RandomKey) -> DrawSet {
    precondition(chains >= 1 && draws >= 1)
    let count = chains * draws
    var stream = key.child("resampling").stream()
    let offset = stream.uniform()
    var chosen: [Int] = []
    chosen.reserveCapacity(count)
    // Place j + offset of M belongs to the draw whose share of 0…M holds it.
    var reached = 0.0
    for (index, logWeight) in smoothing.logWeights.enumerated() where logWeight > -.infinity {
      reached += Double(count) * exp(logWeight)
      while chosen.count < count, Double(chosen.count) + offset < reached { chosen.append(index) }
    }
    // Rounding may leave the last place open.
    while chosen.count < count { chosen.append(chosen.last ?? 0) }
    let order = stream.permutation(count).map { chosen[$0] }
    let d = mixture.dimension
    return DrawSet(
      chains: chains, draws: draws, dimension: d,
      positions: order.flatMap { positions[$0 * d..<($0 + 1) * d] },
      logDensities: order.map { logDensities[$0] })
  }
}
