import Diagnostics
import Foundation
import Numerics
import Probability

/// Which share of the draws of a run lies in each mode of a mixture. A draw belongs to the component
/// that most probably made it, so to the nearest in Mahalanobis distance with volumes allowed for.
public struct ModeShares: Sendable, Equatable {
  /// Chains × K; each row sums to one.
  public let byChain: [[Double]]
  /// K.
  public let shares: [Double]
  /// Standard errors, K: the larger of √(share (1 − share)/ESS) of the indicator and of the spread of the
  /// chains' shares over √chains, which sees chains that never left their mode. Zero where all draws
  /// are in one mode, which does not prove that the others are empty.
  public let errors: [Double]

  public init(_ draws: DrawSet, mixture: GaussianMixture) {
    precondition(draws.dimension == mixture.dimension)
    let owners = (0..<draws.chains).map { chain in
      (0..<draws.draws).map {
        mixture.mostProbableComponent(at: Array(draws.position(chain: chain, draw: $0)))
      }
    }
    let modes = mixture.components.indices
    let byChain = owners.map { owners in
      modes.map { mode in Double(owners.count { $0 == mode }) / Double(draws.draws) }
    }
    self.byChain = byChain
    shares = modes.map { mode in
      byChain.reduce(0) { $0 + $1[mode] } / Double(draws.chains)
    }
    let means = shares
    errors = modes.map { mode in
      let trace = owners.map { $0.map { $0 == mode ? 1.0 : 0 } }
      let within = MonteCarloErrors.ofMean(trace)
      let chains = Double(draws.chains)
      let spread = byChain.reduce(0) { $0 + ($1[mode] - means[mode]) * ($1[mode] - means[mode]) }
      let between = chains > 1 ? (spread / (chains - 1) / chains).squareRoot() : 0
      return within.isNaN ? between : max(within, between)
    }
  }
}
