import Diagnostics
import Randomness
import Testing

@testable import Judging
@testable import Numerics

@Suite struct SampleQualityTests {
  /// Fails when: the threshold is another set's quantile, or a share counts the farther ones.
  @Test("shares are below the 1 % quantile of the reconstructions, medians are their own")
  func memorization() {
    let found = Memorization(
      training: 7,
      samples: [1.5, 2.5, 90, 0.5].enumerated().map { (index: 10 + $0, distance: $1) },
      reconstructions: (0..<200).map { Double(199 - $0) }, tests: [1, 3, 5])
    #expect(found.threshold == 2)
    #expect(found.samples == .init(median: 2.5, nearShare: 0.5))
    #expect(found.reconstructions == .init(median: 100, nearShare: 0.01))
    #expect(found.tests == .init(median: 3, nearShare: 1 / 3.0))
    #expect(found.nearest == [10, 11, 12, 13])
  }

  @Test("ratios are of the named sets, and text and JSON hold what was measured")
  func ratios() {
    func row(_ name: FeatureQuality.Name, _ value: Double) -> FeatureQuality.Row {
      .init(
        name: name,
        frechet: JackknifeEstimate(value: value, replicates: [value * 0.9, value * 1.1]),
        precision: 0.5, recall: 0.25)
    }
    let features = FeatureQuality(
      classifier: "c", digest: "d", dimension: 3, count: 100,
      rows: [row(.samples, 6), row(.gaussianCodes, 18), row(.reconstructions, 4)],
      samplesToReconstructions: JackknifeEstimate(value: 2.5, replicates: [2, 3]))
    #expect(features.ratio(.samples, to: .reconstructions)?.value == 1.5)
    #expect(features.ratio(.gaussianCodes, to: .samples)?.value == 3)
    #expect(features.ratio(.training, to: .samples) == nil)
    let quality = SampleQuality(
      features: features, memorization: nil, notes: ["this, since that"], count: 100, seed: 4)
    for word in [
      "in the 3 features of c", "1.50 ± 0.00", "3.00", "to reconstructions: 2.500",
      "left out: this, since that",
    ] {
      #expect(quality.text.contains(word), "\(quality.text)")
    }
    for word in [
      "\"gaussian_codes_to_samples\"", "\"samples_from_reconstructions\"", "\"recall\"",
      "\"seed\": \"4\"",
    ] {
      #expect(quality.json.text.contains(word), "\(quality.json.text)")
    }
    #expect(quality.json.text.contains("\"memorization\": null"))
    #expect(!quality.text.localizedCaseInsensitiveContains("FID"))
  }
}

@Suite struct ReconstructionErrorTests {
  /// Fails when: a quantile is taken of unsorted errors, or errors change places.
  @Test("mean and quantiles are those of the pictures, their errors near the known ones")
  func exponential() {
    // Quantiles of an exponential: −ln(1 − q); their errors √(q/(1 − q)/n), as its density is 1 − q.
    var stream = RandomKey(seed: 9).stream()
    let values = (0..<4000).map { _ in stream.exponential() }
    let found = ReconstructionError(values, key: RandomKey(seed: 10))
    #expect(abs(found.mean - values.reduce(0, +) / 4000) < 1e-12)
    let sorted = values.sorted()
    #expect(found.p68 == sorted[2720] && found.p95 == sorted[3800])
    let variances: [Double] = [1, 0.68 / 0.32, 0.95 / 0.05]
    for (error, variance) in zip(found.errors, variances) {
      let expected = (variance / 4000).squareRoot()
      // 4 % of the bootstrap, and the density at the quantile known to 20 %.
      #expect(abs(error / expected - 1) < 0.3, "\(found.errors)")
    }
    let one = ReconstructionError([0.25], key: RandomKey(seed: 11))
    #expect(one.mean == 0.25 && one.p68 == 0.25 && one.p95 == 0.25 && one.errors == [0, 0, 0])
  }
}

extension RandomStream {
  fileprivate mutating func exponential() -> Double {
    let (a, b) = (normal(), normal())
    return (a * a + b * b) / 2
  }
}

@Suite struct EvaluationSheetTests {
  /// Fails when: the two ends change places, or the way is a straight line.
  @Test("the way between two points begins and ends there and keeps their length")
  func greatCircle() {
    let (a, b) = ([3.0, 0, 4], [0.0, 5, 0])
    #expect(EvaluationSheet.interpolated(a, b, at: 0) == a)
    #expect(zip(EvaluationSheet.interpolated(a, b, at: 1), b).allSatisfy { abs($0 - $1) < 1e-14 })
    for t in [0.2, 0.5, 0.9] {
      let point = EvaluationSheet.interpolated(a, b, at: t)
      #expect(abs(point.reduce(0) { $0 + $1 * $1 } - 25) < 1e-12)
    }
    let half = EvaluationSheet.interpolated(a, b, at: 0.5)
    #expect(abs(half[1] - 5 * 0.5.squareRoot()) < 1e-12)
    // Without an angle it is a straight line.
    #expect(EvaluationSheet.interpolated([2, 0], [4, 0], at: 0.5) == [3, 0])
    #expect(EvaluationSheet.interpolated([0, 0], [4, 0], at: 0.5)[0].isFinite)
  }
}
