import Diagnostics
import Foundation
import Numerics
import Testing

@Suite struct UniformityBandTests {
  /// Uniform numbers of a linear congruence, good enough for counts.
  private struct Uniform {
    var state: UInt64
    mutating func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
  }

  /// N = 1 with one point at ½: the count is 0 or 1 with ½ each, so only the whole range has 90 %.
  @Test func oneValueIsAlwaysInside() {
    let band = UniformityBand(count: 1, mass: 0.9, points: 2)
    #expect(band.lower == [0] && band.upper == [1] && abs(band.mass - 1) < 1e-12)
  }

  /// One point alone is a binomial interval: N = 10 at ½, P(2 ≤ c ≤ 8) = 1 − 2·11/1024 = 0.9785.
  @Test func onePointIsABinomialInterval() {
    let band = UniformityBand(count: 10, mass: 0.95, points: 2)
    #expect(band.lower == [2] && band.upper == [8])
    #expect(abs(band.mass - (1 - 22.0 / 1024)) < 1e-12)
  }

  /// The share of 4,000 sets of uniform values inside is the stated mass within 4 standard errors.
  /// Seen to fail with the Markov chain's share (t' − t) not divided by 1 − t.
  @Test(arguments: [20, 200]) func massIsThatOfSimulations(count: Int) {
    let band = UniformityBand(count: count, mass: 0.9, points: 20)
    var uniform = Uniform(state: 7)
    let trials = 4000
    let inside = (0..<trials).count { _ in
      let values = (0..<count).map { _ in uniform.next() }
      return band.contains(values)
    }
    let share = Double(inside) / Double(trials)
    let error = (band.mass * (1 - band.mass) / Double(trials)).squareRoot()
    #expect(band.mass >= 0.9)
    #expect(abs(share - band.mass) < 4 * error, "\(share) of \(band.mass)")
  }

  /// Ranks of a posterior that is 20 % too narrow, one Gaussian coordinate, are outside at N = 1000.
  @Test func narrowPosteriorLeavesTheBand() {
    let band = UniformityBand(count: 1000, mass: 0.999)
    var uniform = Uniform(state: 3)
    let right = (0..<1000).map { _ in uniform.next() }
    #expect(band.contains(right))
    // Φ(Φ⁻¹(v)/0.8) by the logistic stand-in for the normal: the same stretching of both tails.
    let narrow = right.map { value -> Double in
      let logit = log(value / (1 - value)) / 0.8
      return 1 / (1 + exp(-logit))
    }
    #expect(!band.contains(narrow))
  }

  /// The truth farther than every draw has rank 1, nearer than all 0; with draws on one side only.
  @Test func tarpCountsNearerDraws() {
    let draws = [[1.0, 0], [2, 0], [3, 0]]
    let reference = [0.0, 0]
    #expect(tarpRank(truth: [9, 0], draws: draws, reference: reference, tieBreaker: 0) == 0.75)
    #expect(tarpRank(truth: [0, 0.5], draws: draws, reference: reference, tieBreaker: 0) == 0)
    #expect(tarpRank(truth: [0, 2.5], draws: draws, reference: reference, tieBreaker: 0) == 0.5)
  }
}
