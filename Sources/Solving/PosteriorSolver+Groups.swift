import Diagnostics
import Inversion
import Probability
import Problems
import Randomness
import Sampling

/// Chains that agree with one another and not with the rest.
package struct ChainGroup {
  package let chains: [Int]
  /// Of the chains.
  package let share: Double
  /// Of the posterior, by particles that began with draws of the prior, and its standard error; nil where
  /// they could not be had.
  package var particleShare: (share: Double, error: Double)?

  package init(chains: [Int], share: Double, particleShare: (share: Double, error: Double)? = nil) {
    self.chains = chains
    self.share = share
    self.particleShare = particleShare
  }
}

extension PosteriorSolver {
  /// Finds the groups of chains that each mix and together do not, and lets particles decide the shares
  /// that the groups have of the posterior: chains that never meet cannot.
  func settleGroups(
    _ batch: inout PosteriorBatch, _ posterior: ImagePosterior,
    key: RandomKey, progress: (SolveProgress) -> Bool
  ) throws {
    var pending: [(place: Int, groups: [[Int]])] = []
    for (place, run) in batch.problems.enumerated() where run.chains != nil {
      let base = try posterior.baseDraws(run.draws)
      guard run.verdict(of: base).rHatMaximum > Verdict.largestRHat else { continue }
      let groups = ChainGroups(base).groups
      guard groups.count > 1 else { continue }
      pending.append((place, groups))
      batch.problems[place].groups = groups.map {
        ChainGroup(chains: $0, share: Double($0.count) / Double(run.draws.chains))
      }
    }
    guard !pending.isEmpty, posterior.logarithmicCount == 0 else { return }
    let particles = try runParticles(
      posterior, places: pending.map(\.place), key: key.child("groups"), progress: progress)
    batch.gradients += particles.gradients
    for (index, found) in pending.enumerated() {
      let draws = batch.problems[found.place].draws
      guard let groups = DrawGroups(draws, chains: found.groups) else { continue }
      let shares = groups.shares(of: particles.problems[index].draws)
      for group in found.groups.indices {
        batch.problems[found.place].groups[group].particleShare =
          (shares.shares[group], shares.errors[group])
      }
      batch.problems[found.place].settled = groups.reweighted(draws, shares: shares.shares)
    }
  }
}
