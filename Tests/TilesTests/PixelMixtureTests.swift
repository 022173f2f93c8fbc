import Foundation
import Tensors
import Testing
import Workers

@testable import Tiles

@Suite struct PixelMixtureTests {
  /// Where all is seen in white noise the two ways are one, but for the prior of the mean: N(½, ¼) shifts it by
  /// (σ²/t²)/(σ²/t² + ¼) of its distance from ½, here below 1e-3.
  ///
  /// Seen to fail: noise variances taken for deviations; the component's weight left out; τ² without its square.
  @Test("a tile seen whole in white noise has the posterior of the codes", arguments: [1, 3])
  func whole(channels: Int) throws {
    let prior = try SmallPrior.make(
      side: 4, channels: channels, latent: 15, components: 4,
      residual: channels == 1 ? 0 : 0.002)
    let sigma = 0.05
    let data = SmallPrior.noisy(
      SmallPrior.picture(channels: channels, height: 4, width: 4), sigma: sigma, seed: 12)
    let average = TileAverage(prior, pool: WorkerPool(threads: 1))
    let expected = average.estimate(
      SmallPrior.planes(data), average.mixtures(sigma: sigma, height: 4, width: 4), stride: 1)
    let found = MaskedAverage(mixture: PixelMixture(prior), pool: WorkerPool(threads: 1)).estimate(
      data.values, variances: data.values.map { _ in Float(sigma * sigma) }, shape: data.shape,
      stride: 1)
    for index in 0..<data.count {
      #expect(abs(found.mean.pointer[index] - expected.mean.pointer[index]) < 1e-3)
      #expect(
        abs(found.variance.pointer[index] / expected.variance.pointer[index] - 1) < 0.02)
    }
  }

  /// One Gaussian, two pixels of four seen: Σ′_·o (Σ′_oo + σ²)⁻¹ (y_o − ½) + ½ with a 2×2 inverse by hand.
  ///
  /// Seen to fail: values and pixels out of step; the posterior variance of a missing pixel without its prior's.
  @Test("missing pixels follow the conditional Gaussian")
  func missing() throws {
    let prior = try SmallPrior.make(side: 2, components: 1)
    let mixture = PixelMixture(prior)
    let worker = PixelMixtureWorker(mixture)
    let (seen, y, noise) = ([0, 3], [0.9, 0.4], 0.01)
    worker.solve(
      seen: seen, values: y.map(Float.init), noise: seen.map { _ in Float(noise) })
    let s = (0..<16).map { Double(mixture.covariances.pointer[$0]) }
    let (a, b, c) = (s[0] + noise, s[3], s[15] + noise)
    let determinant = a * c - b * b
    let d = y.map { $0 - 0.5 }
    let solution = [(c * d[0] - b * d[1]) / determinant, (a * d[1] - b * d[0]) / determinant]
    for pixel in 0..<4 {
      let (p, q) = (s[pixel * 4], s[pixel * 4 + 3])
      let mean = 0.5 + p * solution[0] + q * solution[1]
      let variance = s[pixel * 5] - (c * p * p - 2 * b * p * q + a * q * q) / determinant
      #expect(abs(Double(worker.mean.pointer[pixel]) - mean) < 1e-4)
      #expect(abs(Double(worker.variance.pointer[pixel]) / variance - 1) < 1e-3)
    }
  }
}
