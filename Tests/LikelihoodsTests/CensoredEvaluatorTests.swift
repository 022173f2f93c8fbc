import LawCheckers
import Foundation
import Likelihoods
import Numerics
import Randomness
import Testing

/// The same log density in double precision, one datum at a time.
private func term(
  _ data: PixelData, _ index: Int, mean: Double, sigma: Double, scale: Double = 1
) -> Double {
  let v =
    sigma * sigma + Double(data.extraVariances[index])
    + scale * scale * Double(data.residualVariances[index])
    * (data.intensityVariance.map { ReferenceCurve($0).value(at: mean) } ?? 1)
    + Double(data.intensityVariance?.rounding ?? 0)
  switch data.kinds[index] {
  case .unobserved: return 0
  case .measured:
    let d = Double(data.values[index]) - mean
    return -0.5 * d * d / v - 0.5 * log(2 * .pi * v)
  case .belowLow: return logNormalCDF((Double(data.low) - mean) / v.squareRoot())
  case .aboveHigh: return logNormalCDF((mean - Double(data.high)) / v.squareRoot())
  }
}

/// Two problems of every kind of datum, an awkward number of them, and means far from the data too.
private func example(
  _ dimension: Int, law: IntensityVariance? = nil
) -> (problems: [PixelData], lanes: [Int], means: [Float]) {
  var stream = RandomKey(seed: 51).child(dimension).stream()
  let problems = (0..<2).map { _ in
    PixelData(
      values: (0..<dimension).map { _ in Float(stream.uniform()) },
      kinds: (0..<dimension).map { _ in PixelKind(rawValue: UInt8(stream.index(below: 4)))! },
      extraVariances: (0..<dimension).map { _ in Float(0.05 * stream.uniform()) },
      residualVariances: (0..<dimension).map { _ in
        Float((law == nil ? 0.03 : 1) * stream.uniform())
      }, intensityVariance: law, low: 0.1, high: 0.9)
  }
  let lanes = [1, 0, 1]
  let means = (0..<3 * dimension).map { _ in Float(0.5 + 0.7 * stream.normal()) }
  return (problems, lanes, means)
}

private struct Result {
  let values: [Double]
  let gradients: [Float]
  let slopes: [Double]
  let scaleSlopes: [Double]

  init(
    _ problems: [PixelData], _ lanes: [Int], _ means: [Float], _ sigmas: [Double],
    scales: [Double]? = nil
  ) {
    var values = [Double](repeating: .nan, count: lanes.count)
    var slopes = values
    var gradients = [Float](repeating: .nan, count: means.count)
    var first = values.mutableSpan
    var second = gradients.mutableSpan
    var third = slopes.mutableSpan
    var scaleSlopes = [Double](repeating: .nan, count: lanes.count)
    var fourth = scaleSlopes.mutableSpan
    let levels = sigmas.indices.map {
      NoiseLevels(sigma: sigmas[$0], residualScale: scales?[$0] ?? 1)
    }
    CensoredEvaluator(problems: problems, lanes: lanes).evaluate(
      means: means.span, levels: levels.span, logDensities: &first, meanGradients: &second,
      logSigmaGradients: &third, logScaleGradients: &fourth)
    (self.values, self.gradients, self.slopes) = (values, gradients, slopes)
    self.scaleSlopes = scaleSlopes
  }
}

@Suite struct CensoredEvaluatorTests {
  // Seen to fail: last partial block skipped; sign of the high end lost; weight of the fillers one;
  // lanes all reading problem 0; σ² lost in v; ½ ln 2π lost; factor 2 in ∂/∂ln σ; α not squared; ∂/∂ln α
  // that of σ.
  // Seen to fail with a law, each for measured and for censored: ½ of v'/v lost; α² lost in v'; rounding
  // left out of v.
  @Test(arguments: [1, 15, 16, 17, 64, 200], [false, true])
  func valuesAndGradientsAgreeWithDoublePrecision(_ dimension: Int, hasLaw: Bool) {
    let (problems, lanes, means) = example(
      dimension, law: hasLaw ? IntensityVarianceTests.law : nil)
    let sigmas = [0.05, 0.2, 0.6]
    let scales = [0.5, 1, 2.5]
    let result = Result(problems, lanes, means, sigmas, scales: scales)
    for lane in lanes.indices {
      let data = problems[lanes[lane]]
      let (sigma, scale) = (sigmas[lane], scales[lane])
      var (sum, size, slope, slopeSize) = (0.0, 0.0, 0.0, 0.0)
      var (scaleSlope, scaleSize) = (0.0, 0.0)
      for index in 0..<dimension {
        let mean = Double(means[lane * dimension + index])
        let value = term(data, index, mean: mean, sigma: sigma, scale: scale)
        sum += value
        size += abs(value)
        // Central differences in double precision: error h²·third derivative, here below 1e-6.
        let h = 1e-4 * sigma
        let above = term(data, index, mean: mean + h, sigma: sigma, scale: scale)
        let below = term(data, index, mean: mean - h, sigma: sigma, scale: scale)
        let expected = (above - below) / (2 * h)
        let found = Double(result.gradients[lane * dimension + index])
        // The gap c − m of numbers of size 2 carries 1e-7, so a gradient carries 1e-7·curvature.
        #expect(abs(found - expected) <= 4e-6 * abs(expected) + 3e-7 / (sigma * sigma))
        let part =
          (term(data, index, mean: mean, sigma: sigma * 1.0001, scale: scale)
            - term(data, index, mean: mean, sigma: sigma / 1.0001, scale: scale))
          / (2 * log(1.0001))
        slope += part
        slopeSize += abs(part)
        let scalePart =
          (term(data, index, mean: mean, sigma: sigma, scale: scale * 1.0001)
            - term(data, index, mean: mean, sigma: sigma, scale: scale / 1.0001))
          / (2 * log(1.0001))
        scaleSlope += scalePart
        scaleSize += abs(scalePart)
      }
      #expect(abs(result.values[lane] - sum) <= 2e-6 * size + 1e-6)
      #expect(abs(result.slopes[lane] - slope) <= 4e-6 * slopeSize + 1e-5)
      #expect(abs(result.scaleSlopes[lane] - scaleSlope) <= 4e-6 * scaleSize + 1e-5)
    }
  }

  @Test func theThreeOutcomesOfAClippedDatumHaveProbabilityOne() {
    // P(y ≤ low) + ∫ density + P(y ≥ high) = 1 for several means and levels.
    let steps = 2000
    let values = (0...steps).map { Float($0) / Float(steps) }
    for (mean, sigma) in [(0.5, 0.2), (0.02, 0.3), (1.1, 0.15)] {
      func probabilities(_ kind: PixelKind, _ values: [Float]) -> [Double] {
        let problems = values.map {
          PixelData(values: [$0], kinds: [kind], extraVariances: [0.01], low: 0, high: 1)
        }
        return Result(
          problems, Array(values.indices), values.map { _ in Float(mean) },
          values.map { _ in sigma }
        ).values.map(exp)
      }
      let density = probabilities(.measured, values)
      // Simpson's rule: error below 1e-10 at this step.
      var inside = 0.0
      for (index, value) in density.enumerated() {
        let end = index == 0 || index == steps
        inside += value * (end ? 1 : (index % 2 == 1 ? 4 : 2))
      }
      inside /= 3 * Double(steps)
      let total = inside + probabilities(.belowLow, [0])[0] + probabilities(.aboveHigh, [1])[0]
      #expect(abs(total - 1) < 3e-6, "mean \(mean), sigma \(sigma): \(total)")
    }
  }

  // Seen to fail: 1/v lost; t's sign lost.
  @Test func curvaturesAreSecondDifferences() {
    let dimension = 50
    let (problems, lanes, means) = example(dimension)
    let sigmas = [0.1, 0.2, 0.6]
    let levels = sigmas.map { NoiseLevels(sigma: $0) }
    var weights = [Float](repeating: .nan, count: means.count)
    var span = weights.mutableSpan
    CensoredEvaluator(problems: problems, lanes: lanes).curvatures(
      means: means.span, levels: levels.span, into: &span)
    for lane in lanes.indices {
      for index in 0..<dimension {
        let (mean, h) = (Double(means[lane * dimension + index]), 1e-3 * sigmas[lane])
        let value = { term(problems[lanes[lane]], index, mean: mean + $0, sigma: sigmas[lane]) }
        let expected = -(value(h) - 2 * value(0) + value(-h)) / (h * h)
        let found = Double(weights[lane * dimension + index])
        #expect(found >= 0)
        #expect(abs(found - expected) <= 1e-5 / (sigmas[lane] * sigmas[lane]))
      }
    }
  }

  // As with the variances that the means call for, and where measured ½ (v'/v)² more, of single-precision
  // v' and v. Seen to fail: ½ lost; the whole lost.
  @Test func curvaturesUnderALawAddWhatTheVarianceTells() {
    let dimension = 50
    let (problems, _, all) = example(dimension, law: IntensityVarianceTests.law)
    let (data, means) = (problems[0], Array(all[..<dimension]))
    let curve = ReferenceCurve(IntensityVarianceTests.law)
    let (sigma, scale) = (0.2, 1.3)
    func scaled(_ index: Int, _ mean: Double) -> Double {
      scale * scale * Double(data.residualVariances[index]) * curve.value(at: mean)
    }
    let rounding = Double(IntensityVarianceTests.law.rounding)
    let plain = PixelData(
      values: data.values, kinds: data.kinds, extraVariances: data.extraVariances,
      residualVariances: means.indices.map {
        Float((scaled($0, Double(means[$0])) + rounding) / (scale * scale))
      }, low: data.low, high: data.high)
    let levels = [NoiseLevels(sigma: sigma, residualScale: scale)]
    func curvatures(_ data: PixelData) -> [Float] {
      var weights = [Float](repeating: .nan, count: dimension)
      var span = weights.mutableSpan
      CensoredEvaluator(problems: [data], lanes: [0]).curvatures(
        means: means.span, levels: levels.span, into: &span)
      return weights
    }
    let (found, fixed) = (curvatures(data), curvatures(plain))
    var largest = 0.0
    for index in 0..<dimension {
      let mean = Double(means[index])
      var information = 0.0
      if data.kinds[index] == .measured {
        let v = sigma * sigma + Double(data.extraVariances[index]) + scaled(index, mean) + rounding
        let slope = (scaled(index, mean + 1e-5) - scaled(index, mean - 1e-5)) / 2e-5
        information = 0.5 * (slope / v) * (slope / v)
      }
      largest = max(largest, information / Double(fixed[index]))
      let error = abs(Double(found[index]) - Double(fixed[index]) - information)
      #expect(error <= 1e-5 * Double(fixed[index]) + 2e-3 * information, "\(index)")
    }
    #expect(largest > 0.01)
  }

  @Test func aLaneThatIsNotFiniteIsMinusInfinityAndLeavesTheOthersAlone() {
    let (problems, lanes, means) = example(40)
    let whole = Result(problems, lanes, means, [0.1, 0.2, 0.3])
    for bad in [Float.nan, .infinity] {
      var broken = means
      for index in 40..<80 { broken[index] = bad }
      let result = Result(problems, lanes, broken, [0.1, 0.2, 0.3])
      #expect(result.values[1] == -.infinity && result.slopes[1] == 0)
      #expect(result.gradients[40..<80].allSatisfy { $0 == 0 })
      #expect(result.values[0] == whole.values[0] && result.values[2] == whole.values[2])
      #expect(result.gradients[80...] == whole.gradients[80...])
    }
  }

  @Test func aLaneDoesNotDependOnItsNeighbours() {
    let (problems, lanes, means) = example(37)
    let whole = Result(problems, lanes, means, [0.1, 0.2, 0.3])
    let alone = Result(problems, [1], Array(means[74...]), [0.3])
    #expect(alone.values[0] == whole.values[2] && alone.slopes[0] == whole.slopes[2])
    #expect(alone.gradients == Array(whole.gradients[74...]))
  }

  @Test func unobservedProblemsSayNothing() {
    let data = PixelData(
      values: [.nan, 1], kinds: [.unobserved, .unobserved], extraVariances: [0, 0])
    let result = Result([data], [0], [0.3, 0.4], [0.1])
    #expect(result.values == [0] && result.gradients == [0, 0] && result.slopes == [0])
  }

  @Test func kindsFollowTheMaskThenTheRange() {
    let kinds = PixelData.kinds(
      of: [0, 0, 0.5, 1, -0.1], observed: [true, false, true, true, true], censored: true)
    #expect(kinds == [.belowLow, .unobserved, .measured, .aboveHigh, .belowLow])
    #expect(PixelData.kinds(of: [0, 1], censored: false) == [.measured, .measured])
  }
}
