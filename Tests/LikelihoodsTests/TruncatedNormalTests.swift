import LawCheckers
import Foundation
import Numerics
import Randomness
import Testing

@testable import Likelihoods

@Suite struct TruncatedNormalTests {
  // Seen to fail: shift 1/α lost in the acceptance; sign of the excess.
  @Test(arguments: [2.0, 0.3, 0, -0.5, -3, -30, -1e4])
  func drawsHaveTheMomentsAndTheDistribution(_ t: Double) {
    var stream = RandomKey(seed: 41).child(Int(t * 10)).stream()
    let count = 100_000
    let draws = (0..<count).map { _ in stream.normal(below: t) }
    let expected = lowerTruncatedMoments(t)
    #expect(draws.allSatisfy { $0 <= t })
    let root = Double(count).squareRoot()
    let mean = draws.reduce(0, +) / Double(count)
    #expect(abs(mean - expected.mean) < 4 * expected.variance.squareRoot() / root + 1e-15 * abs(t))
    // The fourth moment of a truncated normal is below that of an exponential, 9 σ⁴.
    let square = draws.reduce(0) { $0 + ($1 - expected.mean) * ($1 - expected.mean) }
    #expect(abs(square / Double(count) / expected.variance - 1) < 4 * 8.0.squareRoot() / root)
    // Φ(Z)/Φ(t) is uniform: Kolmogorov's distance, 1e-4 quantile 2.23/√n.
    let levels = draws.map { exp(logNormalCDF($0) - logNormalCDF(t)) }.sorted()
    let distance = levels.enumerated().map { abs($1 - (Double($0) + 0.5) / Double(count)) }.max()!
    // At t = −1e4 the difference of two logarithms of 5e7 carries 1e-8.
    #expect(distance < 2.23 / root + 1e-7)
  }
}
