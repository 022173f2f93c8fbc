import Foundation
import Testing

@testable import Diagnostics
@testable import Numerics

/// What ArviZ 0.23.4 (psislw) says of the weights ½ + excesses of a generalized Pareto distribution.
struct PinnedWeights: Sendable, CustomTestStringConvertible {
  let seed: UInt64
  let count: Int
  let generated: Double
  let shape: Double
  let size: Double
  let largest: Double
  let tenth: Double
  let first: Double
  /// ln of the mean of the smoothed weights and of the raw ones, and sd w/(√S w̄) of these by NumPy.
  let mean: Double
  let rawMean: Double
  let rawError: Double
  var testDescription: String { "\(count) weights of shape \(generated)" }

  var logWeights: [Double] {
    paretoExcesses(seed: seed, count: count, shape: generated).map { log($0 + 0.5) }
  }
}

private let pinnedWeights = [
  PinnedWeights(
    seed: 11, count: 1000, generated: 0.3, shape: 0.29827012722786134, size: 492.36082849265256,
    largest: -4.475742082429445, tenth: -5.215895483703955, first: -6.2973203385933605,
    mean: 0.6016471086262722, rawMean: 0.6001822657536483,
    rawError: 0.031584926581209045),
  PinnedWeights(
    seed: 12, count: 4000, generated: 0.6, shape: 0.48275493418066306, size: 475.2936876176205,
    largest: -3.700846188478341, tenth: -5.207546463349001, first: -9.663686192605573,
    mean: 1.1021298277070883, rawMean: 1.1138699361448097,
    rawError: 0.049867591717108015),
  PinnedWeights(
    seed: 13, count: 100, generated: 1.1, shape: 0.9923161957609293, size: 22.081130109924494,
    largest: -1.908980899339937, tenth: -3.971125622387424, first: -5.158710105063058,
    mean: 1.1697925635886497, rawMean: 1.3386552904359141,
    rawError: 0.1966865684779387),
  PinnedWeights(
    seed: 14, count: 225, generated: -0.2, shape: -0.2095573127966454, size: 176.87011043178967,
    largest: -4.453483667256369, tenth: -4.65270343395239, first: -4.826340551503104,
    mean: 0.290234632238918, rawMean: 0.2844341765666952,
    rawError: 0.033813111511319),
]

@Suite struct ParetoSmoothingTests {
  // Fails when: the tail has one weight more or less; ranks lose their ½; the threshold is not added
  // back; smoothed weights may exceed the largest (1.1).
  @Test("smoothed weights are ArviZ's", arguments: pinnedWeights)
  func parity(_ pin: PinnedWeights) {
    let logWeights = pin.logWeights
    let result = ParetoSmoothing(logWeights: logWeights)
    #expect(agree(result.shape, pin.shape, 1e-10))
    #expect(agree(result.effectiveSampleSize, pin.size, 1e-10))
    #expect(agree(result.logWeights.max()!, pin.largest, 1e-10))
    let order = logWeights.indices.sorted { logWeights[$0] < logWeights[$1] }
    #expect(agree(result.logWeights[order[order.count - 10]], pin.tenth, 1e-10))
    #expect(agree(result.logWeights[0], pin.first, 1e-10))
    #expect(agree(result.logMeanWeight, pin.mean, 1e-10))
    #expect(agree(result.rawLogMeanWeight, pin.rawMean, 1e-10))
    let unbiased = (Double(pin.count) / Double(pin.count - 1)).squareRoot()
    #expect(agree(result.rawLogMeanWeightError, pin.rawError * unbiased, 1e-10))
    #expect(abs(result.logWeights.reduce(0) { $0 + exp($1) } - 1) < 1e-12)
  }

  // Fails when: the largest is not added back to the mean.
  @Test("adding a constant changes the evidence by it and nothing else")
  func shift() {
    let logWeights = pinnedWeights[0].logWeights
    let a = ParetoSmoothing(logWeights: logWeights)
    let b = ParetoSmoothing(logWeights: logWeights.map { $0 - 5000 })
    #expect(abs(a.logMeanWeight - b.logMeanWeight - 5000) < 1e-9)
    #expect(abs(a.rawLogMeanWeight - b.rawLogMeanWeight - 5000) < 1e-9)
    #expect(abs(a.shape - b.shape) < 1e-6)
    let mean = logWeights.reduce(0) { $0 + exp($1) } / 1000
    #expect(abs(a.rawLogMeanWeight - log(mean)) < 1e-12)
    // Smoothing moves the mean by less than its error.
    #expect(abs(a.logMeanWeight - a.rawLogMeanWeight) < a.logMeanWeightError)
  }

  // 400 sets of 400 weights e^(n s), whose mean is e^(s²/2): z-scores of ln w̄ with standard deviation 1
  // within 4/√800. Fails when: the error forgets to subtract 1 of S Σ W².
  @Test("the error of the evidence is its scatter")
  func error() {
    let spread = 0.5
    let scores = (0..<400).map { set -> Double in
      let uniforms = Trace(seed: UInt64(1000 + set), chains: 1, draws: 400, phi: 0).values[0]
      let logWeights = uniforms.map {
        spread * normalQuantile(min(max($0 + 0.5, 1e-12), 1 - 1e-12))
      }
      let smoothing = ParetoSmoothing(logWeights: logWeights)
      return (smoothing.logMeanWeight - spread * spread / 2) / smoothing.logMeanWeightError
    }
    let square = scores.reduce(0) { $0 + $1 * $1 } / 400
    #expect(abs(square.squareRoot() - 1) < 4 / 800.0.squareRoot())
  }

  @Test("a reason is given exactly where k is too large")
  func reasons() {
    #expect(ParetoSmoothing(logWeights: pinnedWeights[0].logWeights).reason == nil)
    let bad = ParetoSmoothing(logWeights: pinnedWeights[2].logWeights).reason
    #expect(
      bad?.hasPrefix("the Pareto shape k of 100 importance weights is 0.99, above 0.50") == true)
    #expect(ParetoSmoothing.largestReliableShape(count: 100) == 0.5)
    #expect(ParetoSmoothing.largestReliableShape(count: 4096) == 0.7)
  }

  @Test("equal weights are perfect; weights that are nearly all zero cannot be judged")
  func degenerate() {
    let equal = ParetoSmoothing(logWeights: (0..<1000).map { -3 + 1e-14 * Double($0 % 7) })
    #expect(equal.reason == nil && abs(equal.effectiveSampleSize - 1000) < 1e-6)
    #expect(abs(equal.logMeanWeight + 3) < 1e-12 && equal.logMeanWeightError < 1e-4)
    var few = [Double](repeating: -.infinity, count: 1000)
    for i in 0..<4 { few[i * 100] = Double(i) }
    #expect(ParetoSmoothing(logWeights: few).shape == .infinity)
    #expect(ParetoSmoothing(logWeights: few).reason != nil)
    let none = ParetoSmoothing(logWeights: [-.infinity, -.infinity])
    #expect(none.reason != nil && none.logMeanWeight == -.infinity)
    #expect(none.logWeights.allSatisfy { $0.isFinite })
  }
}
