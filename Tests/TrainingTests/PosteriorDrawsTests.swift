import Foundation
import Randomness
import Testing

@testable import Training

@Suite struct PosteriorDrawsTests {
  /// m and v of one lane, K = 3.
  private let mean = [0.7, -1.2, 0.05]
  private let logVariance = [-2.0, 0.6, 0.1]

  private func outputs(lanes: Int) -> [Float] {
    (0..<lanes).flatMap { _ in (mean + logVariance).map { Float($0) } }
  }

  /// ∫ q ln(q/p) by the trapezoid rule over m ± 9 standard deviations, coordinate by coordinate; for a
  /// Gaussian the rule's error is far below rounding at this step. 1e-6: h is in single precision.
  ///
  /// Seen to fail: e^v taken for e^{v/2}; −1 lost; the mean over lanes a sum.
  @Test("the divergence is the integral of q ln(q/p)")
  func divergence() {
    var expected = 0.0
    for (m, v) in zip(mean, logVariance) {
      let deviation = exp(0.5 * v)
      let step = deviation / 50
      for index in -450...450 {
        let z = m + Double(index) * step
        let t = (z - m) / deviation
        let logDensity = -0.5 * (t * t + v + log(2 * Double.pi))
        let logPrior = -0.5 * (z * z + log(2 * Double.pi))
        expected += step * exp(logDensity) * (logDensity - logPrior)
      }
    }
    let h = outputs(lanes: 5)
    let draws = PosteriorDraws(lanes: 5, latent: 3)
    var codes = [Float](repeating: 0, count: 15)
    draws.draw(h, into: &codes, key: RandomKey(seed: 51))
    #expect(abs(draws.standardDivergence(h) - expected) < 1e-6 * (1 + expected))
  }

  /// With n draws the mean of z is within 4 e^{v/2}/√n of m, its variance within 4 √(2/n) e^v of e^v; the mean
  /// of ln q − ln p is within 4 standard errors of the divergence in closed form.
  ///
  /// Seen to fail: e^v taken for e^{v/2} in the draw; v left out of ln q; the same ε in every lane.
  @Test("draws have the mean, the variance and the density of q")
  func moments() {
    let lanes = 20_000
    let h = outputs(lanes: lanes)
    let draws = PosteriorDraws(lanes: lanes, latent: 3)
    var codes = [Float](repeating: 0, count: 3 * lanes)
    draws.draw(h, into: &codes, key: RandomKey(seed: 52))
    let count = Double(lanes)
    for k in 0..<3 {
      let values = (0..<lanes).map { Double(codes[3 * $0 + k]) }
      let average = values.reduce(0, +) / count
      let variance = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count
      #expect(abs(average - mean[k]) < 4 * exp(0.5 * logVariance[k]) / count.squareRoot())
      #expect(abs(variance / exp(logVariance[k]) - 1) < 4 * (2 / count).squareRoot())
    }
    let ratios = (0..<lanes).map { lane -> Double in
      let squares = codes[3 * lane..<3 * lane + 3].reduce(0.0) { $0 + Double($1) * Double($1) }
      return draws.logDensity(h, lane: lane) + 0.5 * (squares + 3 * log(2 * Double.pi))
    }
    let average = ratios.reduce(0, +) / count
    let deviation = (ratios.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count).squareRoot()
    #expect(
      abs(average - draws.standardDivergence(h)) < 4 * deviation / count.squareRoot())
    let whole = ratios.reduce(0, +) / count
    let prior = (0..<lanes).reduce(0.0) { total, lane in
      total + codes[3 * lane..<3 * lane + 3].reduce(0.0) { $0 + Double($1) * Double($1) }
    }
    // Sums of 20,000 doubles in another order.
    #expect(
      abs(draws.logDensity(h) + 0.5 * (prior / count + 3 * log(2 * Double.pi)) - whole) < 1e-9)
  }
}
