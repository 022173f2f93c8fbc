import Foundation
import Probability

/// Chains that stay apart, one Gaussian for each group of them: to which of them a draw that no chain made
/// belongs.
package struct DrawGroups: Sendable {
  /// Indices of chains.
  package let chains: [[Int]]
  /// Moments of the draws of each group, weights the shares of the chains.
  private let mixture: GaussianMixture

  /// Added to the variances of a group, of themselves: a group of few draws has no covariance of full rank.
  private static let ridge = 1e-3

  /// - Returns: nil where the draws of a group have no covariance.
  /// - Precondition: groups of chains of the run.
  package init?(_ draws: DrawSet, chains: [[Int]]) {
    var components: [GaussianMixture.Component] = []
    for group in chains {
      var moments = RunningMoments(dimension: draws.dimension, shape: .full)
      for chain in group {
        for draw in 0..<draws.draws {
          moments.add(Array(draws.position(chain: chain, draw: draw)))
        }
      }
      var covariance = moments.scatter.map { $0 / Double(max(moments.count - 1, 1)) }
      // With few draws the covariance is narrow in some directions by chance: towards the diagonal.
      let own = Double(moments.count) / Double(moments.count + draws.dimension)
      for row in 0..<draws.dimension {
        for column in 0..<draws.dimension where column != row {
          covariance[row * draws.dimension + column] *= own
        }
        covariance[row * (draws.dimension + 1)] *= 1 + Self.ridge
      }
      guard let metric = DenseMetric(covariance: covariance, dimension: draws.dimension) else {
        return nil
      }
      components.append(.init(weight: Double(group.count), mean: moments.mean, metric: metric))
    }
    self.chains = chains
    mixture = GaussianMixture(components: components)
  }

  /// The share of each group among draws of another method.
  package func shares(of draws: DrawSet) -> ModeShares { ModeShares(draws, mixture: mixture) }

  /// As many draws as `draws` has, the groups in the shares given: of each group draws evenly spread over its
  /// chains, again from the first where there are not enough. Traces of the result mean nothing.
  /// - Precondition: one share for each group; their sum is one.
  package func reweighted(_ draws: DrawSet, shares: [Double]) -> DrawSet {
    precondition(shares.count == chains.count)
    let total = draws.chains * draws.draws
    let counts = largestRemainders(shares, total: total)
    var (positions, logDensities): ([Double], [Double]) = ([], [])
    for (group, count) in zip(chains, counts) {
      let own = group.flatMap { chain in (0..<draws.draws).map { (chain, $0) } }
      for number in 0..<count {
        let (chain, draw) =
          count <= own.count ? own[number * own.count / count] : own[number % own.count]
        positions += draws.position(chain: chain, draw: draw)
        logDensities.append(draws.logDensities[chain * draws.draws + draw])
      }
    }
    return DrawSet(
      chains: draws.chains, draws: draws.draws, dimension: draws.dimension, positions: positions,
      logDensities: logDensities)
  }
}

/// Whole numbers in proportion to `shares` with that sum: each rounded down, and one more for the largest
/// remainders, the first of equal ones.
package func largestRemainders(_ shares: [Double], total: Int) -> [Int] {
  var counts = shares.map { Int($0 * Double(total)) }
  let remainders = zip(shares, counts).map { $0 * Double(total) - Double($1) }
  let order = shares.indices.sorted { a, b in
    remainders[a] == remainders[b] ? a < b : remainders[a] > remainders[b]
  }
  for index in order.prefix(max(0, total - counts.reduce(0, +))) { counts[index] += 1 }
  return counts
}
