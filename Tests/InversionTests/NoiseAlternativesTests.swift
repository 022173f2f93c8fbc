import Foundation
import LawCheckers
import Maps
import Probability
import Randomness
import Sampling
import Tensors
import Testing
import Workers

@testable import Inversion
@testable import Likelihoods
@testable import Numerics

/// `LinearInstrument` with noise 1/f^s of one of several slopes.
private struct SlopeProblem {
  let problem: LinearInstrument
  let slopes: [Double]
  let logWeights: [Double]
  let turned: [DiagonalizedMeasurement]

  /// - Parameter guess: a first guess of σ where it is inferred.
  init(slopes: [Double], logWeights: [Double], guess: Double? = nil) throws {
    problem = try LinearInstrument()
    (self.slopes, self.logWeights) = (slopes, logWeights)
    let level = guess.map { DiagonalizedMeasurement.Level.inferred(firstGuess: $0) }
    turned = try slopes.map {
      try DiagonalizedMeasurement(
        Self.under($0).measurement, level: level ?? .known(LinearInstrument.sigma),
        isScaleInferred: guess != nil)
    }
  }

  /// The same data under another slope.
  static func under(_ slope: Double) throws -> LinearInstrument {
    var problem = try LinearInstrument()
    problem.spectrum = try .power(exponent: slope, knee: 0.03, sigma: 1, height: 16, width: 16)
    return problem
  }

  /// ln of the trapezoid rule's weights for a uniform law over the slopes.
  static func uniform(_ count: Int) -> [Double] {
    (0..<count).map { log(($0 == 0 || $0 == count - 1 ? 0.5 : 1) / Double(count - 1)) }
  }

  var alternatives: NoiseAlternatives {
    NoiseAlternatives(logWeights: zip(logWeights, turned).map { $0 + $1.logVolume })
  }

  func posterior(inferred estimate: Double? = nil) throws -> ImagePosterior {
    ImagePosterior(
      generator: try problem.prior.generator, instrument: stackedInstrument(turned),
      problems: turned.map { $0.pixelData(problem.data) }, law: .alternatives(alternatives),
      noiseLevel: estimate.map { .inferred(estimates: [$0]) } ?? .known([1]),
      residualScale: estimate.map { _ in ResidualScale(mean: 0, deviation: 0.3) })
  }

  /// Under one of the slopes alone.
  func plain(_ index: Int, inferred estimate: Double? = nil) throws -> ImagePosterior {
    ImagePosterior(
      generator: try problem.prior.generator, instrument: turned[index].makeInstrument(),
      logVolume: turned[index].logVolume, problems: [turned[index].pixelData(problem.data)],
      noiseLevel: estimate.map { .inferred(estimates: [$0]) } ?? .known([1]),
      residualScale: estimate.map { _ in ResidualScale(mean: 0, deviation: 0.3) })
  }

  var law: MixedResidualConditional {
    MixedResidualConditional(
      components: turned.map {
        LinearResidualConditional(
          instrument: $0, map: $0.makeInstrument(), data: $0.pixelData(problem.data))
      }, map: stackedInstrument(turned), logWeights: alternatives.logWeights)
  }
}

private let base = [0.1, 0.2, -0.4, 0.3, 1, -1]

@Suite("a noise law summed out") struct NoiseAlternativesTests {
  // Single precision with 186 data: 1e-5 of the value, as the plain likelihood's own test. Seen to fail: the
  // largest term taken for the sum (ln 0.7 is 0.36 nats of 100: 4e-3); gradients not weighted (twice as
  // large).
  @Test func twoEqualLawsAreOne() throws {
    let problem = try SlopeProblem(
      slopes: [2, 2], logWeights: [log(0.3), log(0.7)], guess: LinearInstrument.sigma)
    let position = base + [log(0.15), 0.2]
    let mixed = try evaluate(problem.posterior(inferred: 0.12), problems: [0], [position])
    let plain = try evaluate(problem.plain(0, inferred: 0.12), problems: [0], [position])
    #expect(abs(mixed.values[0] - plain.values[0]) < 1e-5 * max(100, abs(plain.values[0])))
    let scale = plain.gradients[0].map(abs).max() ?? 0
    for (a, b) in zip(mixed.gradients[0], plain.gradients[0]) {
      #expect(abs(a - b) < 1e-4 * scale)
    }
    // The Gauss–Newton metric is the plain one's as well.
    let metrics = try [problem.posterior(inferred: 0.12), problem.plain(0, inferred: 0.12)].map {
      try GaussNewtonMetric($0).precision(at: position, problem: 0)
    }
    let largest = metrics[1].map(abs).max() ?? 0
    for (a, b) in zip(metrics[0], metrics[1]) { #expect(abs(a - b) < 1e-4 * largest) }
  }

  // Seen to fail: responsibilities that do not weigh ∂L/∂m, ∂L/∂ln σ or ∂L/∂ln α; a law's data or weight
  // another's; levels of lanes exchanged; ln|det| of the turned data lost.
  @Test func theDensityIsTheSumOfItsLaws() throws {
    let weights = [0.2, 0.5, 0.3].map { log($0) }
    let problem = try SlopeProblem(
      slopes: [1.8, 1.95, 2.1], logWeights: weights, guess: LinearInstrument.sigma)
    let posterior = try problem.posterior(inferred: 0.12)
    let position = base + [log(0.13), 0.1]
    let set = DrawSet(
      chains: 1, draws: 1, dimension: 8, positions: position, logDensities: [0])
    let terms = try posterior.alternativeTerms(of: set, problem: 0)[0]
    let values = try (0..<3).map {
      try evaluate(problem.plain($0, inferred: 0.12), problems: [0], [position]).values[0]
        + weights[$0]
    }
    let largest = values.max() ?? 0
    let expected = largest + log(values.reduce(0) { $0 + exp($1 - largest) })
    let found = try evaluate(posterior, problems: [0], [position]).values[0]
    #expect(abs(found - expected) < 1e-5 * max(100, abs(expected)))
    // The laws compete here: else a gradient without responsibilities passes.
    let shares = values.map { exp($0 - expected) }
    #expect(shares.allSatisfy { $0 > 0.02 && $0 < 0.9 }, "\(shares)")
    for j in 1..<3 { #expect(abs(terms[j] - terms[0] - values[j] + values[0]) < 5e-3) }
    let report = try checkLogDensity(
      posterior, problem: 0, at: position, step: 0.01, key: RandomKey(seed: 6))
    #expect(report.gradientError < 1e-4)
    #expect(report.lanesAgree)
  }

  // Seen to fail: the variance between laws, or a law's own, lost; a law drawn by its weight and not by its
  // share; the second picture's residual that of the first.
  @Test func residualsAreTheMixtures() throws {
    let problem = try SlopeProblem(
      slopes: [1, 1.95, 2.1], logWeights: [9.5, log(0.1), 0])
    let law = problem.law
    let levels = [NoiseLevels(sigma: 1), NoiseLevels(sigma: 1)]
    let pixels = LinearInstrument.pixels
    let painted = try images(
      of: problem.problem.prior.generator, [base, base.map { -0.5 * $0 }])
    let flat = painted.flatMap { $0 }
    func moments(
      _ plan: any ResidualLawPlan, _ count: Int, _ pictures: [Float], _ length: Int
    ) -> (means: [Float], accumulator: [Double]) {
      var means = [Float](repeating: 0, count: pictures.count)
      var accumulator = [Double](repeating: 0, count: length)
      var span = means.mutableSpan
      plan.moments(
        images: pictures.span, levels: levels.span, count: count, means: &span,
        accumulator: &accumulator)
      return (means, accumulator)
    }
    let found = moments(try law.makePlan(lanes: 2), 2, flat, law.accumulatorCount)
    let variances = law.variances(averaged: found.accumulator.map { 0.5 * $0 })
    let posterior = try problem.posterior()
    var expectedVariances = [Double](repeating: 0, count: pixels)
    for lane in 0..<2 {
      let shares = try posterior.responsibilities(
        mean: images(of: posterior.meanMap, [lane == 0 ? base : base.map { -0.5 * $0 }])[0],
        levels[0], problem: 0)
      // Weights made for this: the laws compete for the first picture, by shares unlike their weights.
      if lane == 0 { #expect(shares.allSatisfy { $0 > 0.05 && $0 < 0.8 }, "\(shares)") }
      var (mean, square) = (expectedVariances.map { _ in 0.0 }, expectedVariances.map { _ in 0.0 })
      for (j, component) in law.components.enumerated() {
        let own = moments(
          try component.makePlan(lanes: 1), 1, painted[lane], component.accumulatorCount)
        let spread = component.variances(averaged: own.accumulator)
        for pixel in 0..<pixels {
          let value = Double(own.means[pixel])
          mean[pixel] += shares[j] * value
          square[pixel] += shares[j] * (value * value + spread[pixel])
        }
      }
      for pixel in 0..<pixels {
        expectedVariances[pixel] += 0.5 * (square[pixel] - mean[pixel] * mean[pixel])
        #expect(abs(Double(found.means[lane * pixels + pixel]) - mean[pixel]) < 1e-4)
      }
    }
    // Values of 1e-2 from means good to 1e-5.
    for pixel in 0..<pixels {
      #expect(abs(variances[pixel] / expectedVariances[pixel] - 1) < 1e-3)
    }
    // Draws about the first picture: means of 4,000, and the mean square, 1 ± 4 times the error if all pixels
    // moved together.
    let plan = try law.makePlan(lanes: 1)
    let first = painted[0]
    let one = moments(plan, 1, first, law.accumulatorCount)
    let spreads = law.variances(averaged: one.accumulator)
    var stream = RandomKey(seed: 12).stream()
    var sums = [Double](repeating: 0, count: pixels)
    var squares = 0.0
    for _ in 0..<4000 {
      var residuals = [Float](repeating: 0, count: pixels)
      plan.draw(
        images: first.span, levels: levels[0], stream: &stream, into: &residuals)
      for pixel in 0..<pixels {
        let value =
          (Double(residuals[pixel]) - Double(one.means[pixel])) / spreads[pixel].squareRoot()
        sums[pixel] += value
        squares += value * value / Double(4000 * pixels)
      }
    }
    #expect((sums.map { abs($0) }.max() ?? 0) / 4000.0.squareRoot() < 4.5)
    #expect(abs(squares - 1) < 4 * (2.0 / 4000).squareRoot())
  }

  // The exact posterior is a mixture over slopes of Gaussians, each by dense algebra, on nodes half way
  // between the sampler's: the rule integrates both, and another law of the nodes does not pass.
  // Seen to fail: a log determinant lost. Fails when: the gradient's responsibilities are lost (chains that
  // did not end in minutes).
  @Test func drawsAreTheClosedForms() throws {
    let (first, spacing, count) = (1.2, 0.15, 12)
    let slopes = (0..<count).map { first + Double($0) * spacing }
    let problem = try SlopeProblem(
      slopes: slopes, logWeights: SlopeProblem.uniform(count))
    let posterior = try problem.posterior()
    let nodes = slopes.dropLast().map { $0 + 0.5 * spacing }
    let exact = try nodes.map { try SlopeProblem.under($0).solve() }
    let largest = exact.map(\.evidence).max() ?? 0
    let raw = exact.map { exp($0.evidence - largest) }
    let total = raw.reduce(0, +)
    let shares = raw.map { $0 / total }
    // The range reaches far enough for the rule, and its spacing is at most one standard deviation.
    #expect(shares[0] < 1e-3 && shares[shares.count - 1] < 1e-3, "\(shares)")
    func mixed(_ value: (Int) -> Double) -> Double {
      shares.indices.reduce(0) { $0 + shares[$1] * value($1) }
    }
    func deviation(_ mean: (Int) -> Double, _ variance: (Int) -> Double) -> Double {
      let center = mixed(mean)
      return (mixed { variance($0) + mean($0) * mean($0) } - center * center).squareRoot()
    }
    let slopeMean = mixed { nodes[$0] }
    let slopeDeviation = deviation({ nodes[$0] }, { _ in 0 })
    #expect(spacing < 1.5 * slopeDeviation)
    let start = exact[nodes.count / 2].baseMean
    let precision = try GaussNewtonMetric(posterior).precision(at: start, problem: 0)
    let pool = WorkerPool(threads: 2)
    let metric = try #require(
      DenseMetric(precision: precision, dimension: LinearInstrument.latent))
    let run = try sample(
      posterior,
      problems: [
        SamplingProblem(
          starts: Array(repeating: start, count: 8), initialMetric: metric,
          key: RandomKey(seed: 73))
      ],
      kernel: NoUTurnSampler(), options: SamplerOptions(draws: 1000, warmup: 100), pool: pool
    ).problems[0]
    for k in 0..<LinearInstrument.latent {
      expectMean(run.draws.coordinate(k), mixed { exact[$0].baseMean[k] }, "mean of u \(k)")
      expectDeviation(
        run.draws.coordinate(k),
        deviation({ exact[$0].baseMean[k] }, { exact[$0].baseCovariance[k][k] }),
        "spread of u \(k)")
    }
    // The law of s averages its law given u: less error than 2,000 draws of s, 4 standard errors.
    let terms = try posterior.alternativeTerms(of: run.draws, problem: 0)
    var (mean, square) = (0.0, 0.0)
    for row in terms {
      let top = row.max() ?? 0
      let masses = row.map { exp($0 - top) }
      let sum = masses.reduce(0, +) * Double(terms.count)
      for (mass, slope) in zip(masses, slopes) {
        mean += mass / sum * slope
        square += mass / sum * slope * slope
      }
    }
    let spread = (square - mean * mean).squareRoot()
    #expect(abs(mean - slopeMean) < 4 * slopeDeviation / 2000.0.squareRoot())
    #expect(abs(spread / slopeDeviation - 1) < 4 / 4000.0.squareRoot())
    let pictures = try PosteriorPictures(
      posterior: posterior, problem: 0, draws: run.draws, residual: problem.law, pool: pool)
    var (worstMean, worstSpread) = (0.0, 0.0)
    for pixel in 0..<LinearInstrument.pixels {
      let spread = deviation(
        { exact[$0].pictureMean[pixel] },
        { exact[$0].pictureDeviation[pixel] * exact[$0].pictureDeviation[pixel] })
      let center = mixed { exact[$0].pictureMean[pixel] }
      worstMean = max(worstMean, abs(Double(pictures.mean.values[pixel]) - center) / spread)
      worstSpread = max(
        worstSpread, abs(Double(pictures.standardDeviation.values[pixel]) / spread - 1))
    }
    // As with one law: LinearInstrumentTests.
    #expect(worstMean < 4 / 6000.0.squareRoot())
    #expect(worstSpread < 0.02)
  }
}
