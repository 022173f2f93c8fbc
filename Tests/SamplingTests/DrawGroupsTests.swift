import Foundation
import Probability
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

@Suite struct DrawGroupsTests {
  /// Chains about ±6 in the first of two correlated coordinates, as `signs` say; 200 draws each.
  private func draws(_ signs: [Double], seed: UInt64) -> DrawSet {
    var stream = RandomKey(seed: seed).stream()
    let positions = signs.flatMap { sign in
      (0..<200).flatMap { _ -> [Double] in
        let (a, b) = (stream.normal(), stream.normal())
        return [6 * sign + a, 0.8 * a + 0.6 * b]
      }
    }
    return DrawSet(
      chains: signs.count, draws: 200, dimension: 2, positions: positions,
      logDensities: (0..<signs.count * 200).map { Double($0) })
  }

  // Fails when: groups' draws are mixed up, or shares are those of the chains.
  @Test("draws of another method are counted by the group they fall in") func shares() throws {
    let chains = draws([1, 1, -1, 1], seed: 91)
    let groups = try #require(DrawGroups(chains, chains: [[0, 1, 3], [2]]))
    // Islands: the share of the second group is 3/8, that of islands from 0 to 1.
    let found = groups.shares(of: draws([1, -1, 1, -1, 1, 1, -1, 1], seed: 92))
    #expect(abs(found.shares[0] - 0.625) < 1e-12 && abs(found.shares[1] - 0.375) < 1e-12)
    // √(p(1 − p)/8·8/7) of islands that are all one or all the other.
    #expect(abs(found.errors[0] - (0.625 * 0.375 / 7).squareRoot()) < 1e-9)
  }

  // Fails when: shares are those of the chains; a group's draws are the first ones and not spread; log
  // densities are another draw's.
  @Test("draws are chosen anew in the shares given, spread over a group's chains")
  func reweighted() throws {
    let chains = draws([1, 1, -1, 1], seed: 93)
    let groups = try #require(DrawGroups(chains, chains: [[0, 1, 3], [2]]))
    for share in [0.25, 0.1, 0.5, 1] {
      let chosen = groups.reweighted(chains, shares: [1 - share, share])
      #expect(chosen.chains == 4 && chosen.draws == 200)
      let flat = chosen.coordinate(0).joined()
      #expect(flat.count { $0 < 0 } == Int((800 * share).rounded()))
      // The log density of a draw is its index.
      for (place, density) in chosen.logDensities.enumerated() {
        let index = Int(density)
        let own = chains.position(chain: index / 200, draw: index % 200)
        #expect(chosen.position(chain: place / 200, draw: place % 200).elementsEqual(own))
      }
      guard share < 1 else { continue }
      let used = Set(chosen.logDensities.map { Int($0) / 200 })
      #expect(used == [0, 1, 2, 3])
    }
    #expect(
      groups.reweighted(chains, shares: [0.75, 0.25]).logDensities.sorted()
        == chains.logDensities)
  }

  @Test(
    "largest remainders", arguments: [([0.5, 0.3, 0.2], 8, [4, 2, 2]), ([1, 0], 3, [3, 0])])
  func remainders(_ shares: [Double], _ total: Int, _ expected: [Int]) {
    #expect(largestRemainders(shares, total: total) == expected)
  }
}
