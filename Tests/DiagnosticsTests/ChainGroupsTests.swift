import Probability
import Randomness
import Testing

@testable import Diagnostics

@Suite struct ChainGroupsTests {
  /// Chains of 400 independent normal draws, two coordinates, the second about these centers; the slope
  /// moves each chain's own by so much from its first draw to its last.
  private func draws(_ centers: [Double], slope: Double = 0) -> DrawSet {
    var stream = RandomKey(seed: 12).child("chains").stream()
    let positions = centers.flatMap { center in
      (0..<400).flatMap { draw in
        [stream.normal(), center + stream.normal() + slope * Double(draw) / 400]
      }
    }
    return DrawSet(
      chains: centers.count, draws: 400, dimension: 2, positions: positions,
      logDensities: [Double](repeating: 0, count: 400 * centers.count))
  }

  // Fails when: only the first coordinate is compared; groups are not joined by a later chain; the order
  // is by first chain; halves are not looked at.
  @Test("chains are grouped by where they are")
  func groups() {
    #expect(ChainGroups(draws([3, 0, 3, 0, 0])).groups == [[1, 3, 4], [0, 2]])
    #expect(ChainGroups(draws([0, 0, 0])).groups == [[0, 1, 2]])
    // 0.8 deviations apart each, so the ends are joined through the middle.
    #expect(ChainGroups(draws([0, 1.4, 0.7])).groups == [[0, 1, 2]])
    #expect(ChainGroups(draws([0, 3], slope: 6)).groups == [[0, 1]])
    #expect(ChainGroups(draws([5, 0, -5])).groups == [[0], [1], [2]])
  }
}
