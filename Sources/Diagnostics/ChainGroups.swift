import Probability

/// Chains that agree with one another, where not all do.
///
///     R̂² = 1 + (m₁ − m₂)²/(2 W)     of two pieces with means m and mean variance W
///
/// Chains are joined when R̂ of the two is at most `largestRHat` in every coordinate, and groups by
/// their members (single linkage). Where the halves of a chain itself differ by more, chains wander
/// and there are no groups.
public struct ChainGroups: Sendable, Equatable {
  /// Means 0.94 standard deviations apart: of draws worth a hundred, chance takes a pair of chains that
  /// agree as far as 0.57 in one of 10⁴ pairs and coordinates.
  public static let largestRHat = 1.2

  /// Indices of chains, the largest group first; one group when all agree or wander.
  public let groups: [[Int]]

  public init(_ draws: DrawSet) {
    let half = draws.draws / 2
    let everything = Array(0..<draws.chains)
    let halves = everything.map { chain in
      [0..<half, half..<draws.draws].map { Moments(draws, chain: chain, range: $0) }
    }
    let whole = everything.map { Moments(draws, chain: $0, range: 0..<draws.draws) }
    guard half > 1, halves.allSatisfy({ $0[0].agrees(with: $0[1]) }) else {
      groups = [everything]
      return
    }
    var groups: [[Int]] = []
    for chain in everything {
      let joined = groups.filter { $0.contains { whole[$0].agrees(with: whole[chain]) } }
      groups.removeAll { joined.contains($0) }
      groups.append(joined.flatMap { $0 } + [chain])
    }
    self.groups = groups.map { $0.sorted() }.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }
}

/// Mean and variance of each coordinate over part of a chain.
private struct Moments {
  private let means: [Double]
  private let variances: [Double]

  init(_ draws: DrawSet, chain: Int, range: Range<Int>) {
    var (means, variances): ([Double], [Double]) = ([], [])
    for k in 0..<draws.dimension {
      func value(_ draw: Int) -> Double {
        draws.positions[(chain * draws.draws + draw) * draws.dimension + k]
      }
      let mean = range.reduce(0) { $0 + value($1) } / Double(range.count)
      means.append(mean)
      variances.append(
        range.reduce(0) { $0 + (value($1) - mean) * (value($1) - mean) }
          / Double(max(range.count - 1, 1)))
    }
    (self.means, self.variances) = (means, variances)
  }

  func agrees(with other: Moments) -> Bool {
    let bound = ChainGroups.largestRHat * ChainGroups.largestRHat - 1
    return means.indices.allSatisfy { k in
      let difference = means[k] - other.means[k]
      return difference * difference <= bound * (variances[k] + other.variances[k])
    }
  }
}
