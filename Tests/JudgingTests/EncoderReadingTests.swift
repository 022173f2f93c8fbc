import Flows
import Foundation
import Inversion
import Maps
import Networks
import Numerics
import Probability
import Randomness
import Tensors
import SmallModels
import Testing

@testable import Judging
@testable import Solving

@Suite struct EncoderReadingTests {
  // Draws of the prior stand uniformly in the reference: of 200 of them the share below p has a standard error
  // of at most 3.5 per cent, and the reference's own is 2.5. Residuals of α about 4.5 weigh more against σ than
  // those of α = 1. Seen to fail: residual or α left out of the reference.
  @Test("percentiles of draws of the prior are uniform")
  func uniform() throws {
    let model = try linearModel(gain: 1)
    let law = ResidualPrior.covariance(model.residual)
    let scale = ResidualScale(mean: 1.5, deviation: 0.5)
    let reading = try EncoderReading(model: model, law: law, scale: scale)
    var stream = RandomKey(seed: 77).stream()
    let percentiles = try (0..<200).map { _ in
      let painted = try model.pictures(ofBase: [stream.normals(2)])[0]
      let alpha = exp(1.5 + 0.5 * stream.normal())
      let residual = law.draw(painted, scale: alpha, stream: &stream)
      return try reading.percentile(
        of: [
          DrawnPicture(
            painted: painted, values: zip(painted, residual).map { $0 + $1 }, residualScale: alpha)
        ], sigma: 0.4)
    }
    for p in [10.0, 30, 50, 70, 90] {
      let below = 100 * Double(percentiles.count { $0 < p }) / 200
      #expect(abs(below - p) < 4 * 4.3, "\(below) below \(p)")
    }
  }

  // t by hand: x = m, read as m/2. Seen to fail: the logarithm or a square lost; the mean not over the draws;
  // σ not added; v that of α = 1, or of √α.
  @Test("the distance is that of what is painted and what is read, in standard deviations")
  func distance() throws {
    let model = try linearModel(gain: 0.5)
    let law = ResidualPrior.covariance(model.residual)
    let reading = try EncoderReading(model: model, law: law, scale: nil)
    func percentile(_ painted: [[Float]], sigma: Double, alpha: Double = 1) throws -> Double {
      try reading.percentile(
        of: painted.map { DrawnPicture(painted: $0, values: $0, residualScale: alpha) },
        sigma: sigma)
    }
    // With ε: m' = (m + ε)/2 in two pixels, so (m − m')² = (m − ε)²/4 ~ ¼·1.04 χ²₁ each, and
    // t = ln(0.26 χ²₂/v): below ln(0.26 c/v) in 1 − e^(−c/2) of the prior.
    for c in [0.5, 1.4, 3] {
      let length = Float((0.26 * c * 4).squareRoot())
      let found = try percentile([[length, 0, 0, 0]], sigma: 0.2)
      let expected = 100 * (1 - exp(-c / 2))
      #expect(abs(found - expected) < 4 * 2.5, "\(found) for \(expected)")
      // The mean of ln c and ln(1/c) is 0.
      let both = try percentile([[length, 0, 0, 0], [1.04 / length, 0, 0, 0]], sigma: 0.2)
      let middle = try percentile([[Float(1.04).squareRoot(), 0, 0, 0]], sigma: 0.2)
      #expect(both == middle)
      // Of α = 4 and σ = 0.4 the variance is 0.8, four times that of the reference's α = 1.
      let wide = Float((0.26 * c * 4 * 4).squareRoot())
      let scaled = try percentile([[wide, 0, 0, 0]], sigma: 0.4, alpha: 4)
      #expect(abs(scaled - expected) < 4 * 2.5, "\(scaled) for \(expected)")
    }
  }

  // Of variances 3s² and 0, s half a grey level, the guard makes 4s² and s²: twice the distance is as far in
  // the first pixel as the distance in the second. Seen to fail: the guard step²/12, a third of s².
  @Test("where neither residual nor noise is, half a grey level is the unit")
  func guardVariance() throws {
    let s = Float(0.5 / 255)
    let model = try linearModel(gain: 0.5, variances: [3 * s * s, 0, 0, 0])
    let reading = try EncoderReading(
      model: model, law: ResidualPrior.covariance(model.residual), scale: nil)
    func percentile(_ painted: [Float]) throws -> Double {
      try reading.percentile(
        of: [DrawnPicture(painted: painted, values: painted, residualScale: 1)], sigma: 0)
    }
    let (first, second) = (try percentile([1.9, 0, 0, 0]), try percentile([0, 0.95, 0, 0]))
    // Rounding may exchange neighbours in the reference, a quarter of a per cent each.
    #expect(abs(first - second) < 1 && first > 20 && first < 80, "\(first), \(second)")
  }
}
