import Foundation
import Inversion
import Likelihoods
import Noise
import Numerics
import Probability
import Randomness
import Tensors
import Testing

@testable import Judging

@Suite struct PosteriorFitTests {
  /// x = (u₁, u₂, u₁ + u₂, 0.5) on four pixels.
  private func posterior(
    _ kinds: [PixelKind], noiseLevel: NoiseLevel = .known([0.3])
  ) throws -> ImagePosterior {
    let prior = try LinearGaussianPrior(
      image: Shape(1, 2, 2), weights: [1, 0, 0, 1, 1, 1, 0, 0], mean: [0, 0, 0, 0.5],
      residualVariances: [0.01, 0.02, 0.03, 0.04])
    return ImagePosterior(
      generator: prior.generator,
      problems: [
        PixelData(
          values: [1, -1, 0.5, 0], kinds: kinds, extraVariances: prior.residualVariances)
      ], noiseLevel: noiseLevel)
  }

  private func draws(_ dimension: Int, count: Int) -> DrawSet {
    var stream = RandomKey(seed: 3).stream()
    return DrawSet(
      chains: 2, draws: count, dimension: dimension,
      positions: stream.normals(2 * count * dimension),
      logDensities: [Double](repeating: 0, count: 2 * count))
  }

  /// E(t² | a < t < b) of a standard normal t by Simpson's rule; 1 where next to nothing lies there.
  private func secondMoment(_ a: Double, _ b: Double) -> Double {
    let (low, high) = (max(a, -12), min(b, 12))
    guard low < high else { return 1 }
    var (mass, moment) = (0.0, 0.0)
    let width = (high - low) / 2000
    for step in 0...2000 {
      let t = low + width * Double(step)
      let weight =
        (step == 0 || step == 2000 ? 1 : step % 2 == 1 ? 4 : 2) * exp(-0.5 * t * t) * width / 3
      mass += weight
      moment += weight * t * t
    }
    return mass / (2 * Double.pi).squareRoot() > 1e-8 ? moment / mass : 1
  }

  // All draws are few enough to be used, so the sums are exact. Fails when: unobserved or censored
  // pixels are counted; the residual is left out of the variance; σ of a position is not its own.
  @Test("χ² is the mean over draws and measured pixels", arguments: [false, true], [false, true])
  func chiSquare(_ inferred: Bool, _ censored: Bool) throws {
    let kinds: [PixelKind] = [
      .measured, .unobserved, .measured, censored ? .belowLow : .unobserved,
    ]
    let posterior = try posterior(
      kinds, noiseLevel: inferred ? .inferred(estimates: [0.3]) : .known([0.3]))
    let draws = draws(inferred ? 3 : 2, count: 40)
    let fit = try PosteriorFit(draws: draws, posterior: posterior, problem: 0, lattice: nil)
    var (sum, expected) = (0.0, 0.0)
    for chain in 0..<2 {
      for draw in 0..<40 {
        let u = Array(draws.position(chain: chain, draw: draw))
        let variance = inferred ? exp(2 * u[2]) : 0.09
        for (value, mean, residual) in [(1, u[0], 0.01), (0.5, u[0] + u[1], 0.03)] {
          let deviation = (variance + residual).squareRoot()
          sum += pow((value - mean) / deviation, 2)
          expected += censored ? secondMoment(-mean / deviation, (1 - mean) / deviation) : 1
        }
      }
    }
    #expect(abs(fit.chiSquarePerDatum - sum / expected) < 2e-6 * sum / expected)
    // P(χ²₂ ≥ t) = e^(−t/2), t = 2 χ² per datum.
    #expect(abs(fit.pValue - exp(-fit.chiSquarePerDatum)) < 1e-12)
  }

  // Fails when: C⁻¹ is left out, or its sign lost; the sum is not divided by the number of draws.
  @Test("of correlated data χ² is rᵀC⁻¹r")
  func correlated() throws {
    let weights: [Float] = [1, 0, 0, 1, 1, 1, 0, 0]
    let prior = try LinearGaussianPrior(
      image: Shape(1, 2, 2), weights: weights, mean: [0, 0, 0, 0.5],
      residualVariances: [Float](repeating: 0, count: 4))
    // C = [[2, 1], [1, 2]] for each pair of pixels: C⁻¹ = [[2, −1], [−1, 2]]/3.
    let covariance: [Double] = [2, 1, 0, 0, 1, 2, 0, 0, 0, 0, 2, 1, 0, 0, 1, 2]
    let posterior = ImagePosterior(
      generator: prior.generator, problems: [PixelData(measured: [1, -1, 0.5, 0])],
      law: .correlated(try DenseNoise(covariance: covariance, dimension: 4)),
      noiseLevel: .known([1]))
    let draws = draws(2, count: 40)
    let fit = try PosteriorFit(draws: draws, posterior: posterior, problem: 0, lattice: nil)
    var sum = 0.0
    for chain in 0..<2 {
      for draw in 0..<40 {
        let u = Array(draws.position(chain: chain, draw: draw))
        let r = [1 - u[0], -1 - u[1], 0.5 - u[0] - u[1], -0.5]
        for (a, b) in [(r[0], r[1]), (r[2], r[3])] { sum += (a * a + b * b - a * b) * 2 / 3 }
      }
    }
    #expect(abs(fit.chiSquarePerDatum - sum / 320) < 2e-6 * sum / 320)
    // P(χ²₄ ≥ t) = (1 + t/2) e^(−t/2).
    let half = 2 * fit.chiSquarePerDatum
    #expect(abs(fit.pValue - (1 + half) * exp(-half)) < 1e-12)
    #expect(fit.whiteness == nil && fit.unjudged?.contains("correlates") == true)
  }

  // Fails when: 0/0 becomes 0, or 1.
  @Test("without measured data there is no χ²")
  func nothing() throws {
    let posterior = try posterior([.unobserved, .belowLow, .aboveHigh, .unobserved])
    let fit = try PosteriorFit(
      draws: draws(2, count: 4), posterior: posterior, problem: 0, lattice: nil)
    #expect(fit.chiSquarePerDatum.isNaN && fit.pValue.isNaN)
    #expect(fit.whiteness == nil && fit.unjudged != nil)
  }
}
