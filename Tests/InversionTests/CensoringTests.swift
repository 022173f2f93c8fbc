import Foundation
import LawCheckers
import Probability
import Randomness
import Sampling
import Tensors
import Testing
import Workers

@testable import Inversion
@testable import Likelihoods
@testable import Noise
@testable import Numerics
@testable import Operators

/// Twelve pixels x = w u + μ + ε of one base variable, seen with noise and clipped to [0, 1].
private struct ClippedProblem {
  static let pixels = 12
  let sigma = 0.2
  let weights: [Float] = [
    0.3, -0.25, 0.4, 0.1, -0.05, 0.35, 0.2, -0.4, 0.15, 0.3, -0.1, 0.25,
  ]
  let mean: [Float] = [
    -0.3, 0.1, -0.35, -0.1, -0.05, 0.7, 0.95, 0.25, -0.2, -0.3, 0.2, -0.2,
  ]
  let residuals: [Float] = [
    0.01, 0.02, 0.03, 0.005, 0.04, 0.01, 0.02, 0.01, 0.03, 0.002, 0.01, 0.02,
  ]
  let data: PixelData

  init() {
    var stream = RandomKey(seed: 14).stream()
    var values: [Float] = []
    for pixel in 0..<Self.pixels {
      let deviation = (sigma * sigma + Double(residuals[pixel])).squareRoot()
      let value = mean[pixel] + 0.9 * weights[pixel] + Float(deviation * stream.normal())
      values.append(min(max(value, 0), 1))
    }
    data = PixelData(
      values: values, kinds: PixelData.kinds(of: values, censored: true),
      extraVariances: [Float](repeating: 0, count: residuals.count),
      residualVariances: residuals)
  }

  func posterior(_ noiseLevel: NoiseLevel) throws -> ImagePosterior {
    let prior = try LinearGaussianPrior(
      image: Shape(1, 3, 4), weights: weights, mean: mean, residualVariances: residuals)
    return ImagePosterior(generator: prior.generator, problems: [data], noiseLevel: noiseLevel)
  }

  /// ln p(y_i | m) from first principles.
  func logTerm(_ pixel: Int, mean: Double, sigma: Double) -> Double {
    let variance = sigma * sigma + Double(residuals[pixel])
    let scale = 1 / (2 * variance).squareRoot()
    switch data.kinds[pixel] {
    case .unobserved: return 0
    case .measured:
      let gap = (Double(data.values[pixel]) - mean) * scale
      return -gap * gap - 0.5 * log(2 * Double.pi * variance)
    case .belowLow: return log(0.5 * erfc(mean * scale))
    case .aboveHigh: return log(0.5 * erfc((1 - mean) * scale))
    }
  }

  func logDensity(_ u: Double, sigma: Double) -> Double {
    (0..<Self.pixels).reduce(-0.5 * u * u) { sum, pixel in
      sum
        + logTerm(
          pixel, mean: Double(mean[pixel]) + Double(weights[pixel]) * u, sigma: sigma)
    }
  }
}

/// Σ w f and Σ w f², for a density on a grid.
private struct GridMoments {
  var weight = 0.0
  var sum = 0.0
  var squares = 0.0

  mutating func add(_ value: Double, weight: Double) {
    self.weight += weight
    sum += weight * value
    squares += weight * value * value
  }

  var mean: Double { sum / weight }
  var deviation: Double { (squares / weight - mean * mean).squareRoot() }
}

@Suite struct CensoringTests {
  private let problem = ClippedProblem()

  private func run(_ posterior: ImagePosterior, start: [Double], seed: UInt64) throws -> ProblemRun
  {
    try sample(
      posterior,
      problems: [
        SamplingProblem(starts: Array(repeating: start, count: 8), key: RandomKey(seed: seed))
      ], kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 2500, warmup: 300), pool: WorkerPool(threads: 2)
    ).problems[0]
  }

  // Mean and standard deviation of u, and of every pixel with ε drawn given u and the data, against
  // sums over a fine grid of u and of x. Seen to fail: a censored datum taken as measured at the end of the
  // range; low and high exchanged; the residual left out of v; the variance that the cut-off leaves, or ε's
  // mean, left out of the pictures.
  @Test("clipped data give the posterior of quadrature")
  func known() throws {
    #expect(Set(problem.data.kinds) == [.measured, .belowLow, .aboveHigh])
    #expect(problem.data.kinds.count { $0 != .measured } >= 5)
    let posterior = try problem.posterior(.known([problem.sigma]))
    let draws = try run(posterior, start: [0], seed: 31).draws
    try expectQuadrature(
      posterior, draws, ResidualConditional(data: posterior.problems[0]))
  }

  // The tail probabilities' posterior by values before clipping as coordinates. Seen to fail: the Jacobian
  // e^w lost; the sign of an end lost. Fails when: Vᵀ is applied with the sign of M; the draws of ε do not see
  // the values before clipping.
  @Test("values before clipping as coordinates give the same posterior")
  func augmented() throws {
    let shape = Shape(1, 3, 4)
    let turned = try DiagonalizedMeasurement(
      GaussianMeasurement(
        forwardOperator: IdentityOperator(shape: shape),
        fixedVariances: [Float](repeating: 0, count: ClippedProblem.pixels),
        residual: ResidualCovariance(variances: problem.residuals)),
      level: .known(problem.sigma), isScaleInferred: false)
    let values = UnclippedValues(
      turned, values: problem.data.values, kinds: problem.data.kinds, ends: 0...1)
    #expect(values.count == problem.data.kinds.count { $0 != .measured })
    let prior = try LinearGaussianPrior(
      image: shape, weights: problem.weights, mean: problem.mean,
      residualVariances: problem.residuals)
    let map = values.makeInstrument()
    let posterior = ImagePosterior(
      generator: values.generator(prior.generator), instrument: map, logVolume: turned.logVolume,
      problems: [values.data], noiseLevel: .known([turned.level(of: problem.sigma)]),
      logarithmicCount: values.count, pictureShape: shape)
    let start = [0.0] + [Double](repeating: -2, count: values.count)
    let report = try checkLogDensity(
      posterior, problem: 0, at: start.map { $0 + 0.1 }, step: 0.01, key: RandomKey(seed: 9))
    #expect(report.gradientError < 1e-4)
    let draws = try run(posterior, start: start, seed: 36).draws
    try expectQuadrature(
      posterior, draws,
      LinearResidualConditional(instrument: turned, map: map, data: values.data))
  }

  /// u and every pixel against sums over a fine grid.
  private func expectQuadrature(
    _ posterior: ImagePosterior, _ draws: DrawSet, _ residual: any ResidualLaw
  ) throws {
    let grid = stride(from: -6.0, through: 6, by: 0.01).map { $0 }
    let densities = grid.map { problem.logDensity($0, sigma: problem.sigma) }
    let top = densities.max()!
    let weights = densities.map { exp($0 - top) }
    var base = GridMoments()
    for (u, weight) in zip(grid, weights) { base.add(u, weight: weight) }
    expectMean(draws.coordinate(0), base.mean)
    expectDeviation(draws.coordinate(0), base.deviation)

    let pictures = try PosteriorPictures(
      posterior: posterior, problem: 0, draws: draws,
      residual: residual,
      pool: WorkerPool(threads: 2))
    for pixel in 0..<ClippedProblem.pixels {
      let exact = pixelMoments(pixel, grid, weights)
      // A thousandth of the deviation per standard error at 10⁴ effective draws; 4 of them.
      let error = abs(Double(pictures.mean.values[pixel]) - exact.mean) / exact.deviation
      #expect(error < 0.04, "mean of pixel \(pixel)")
      let ratio = Double(pictures.standardDeviation.values[pixel]) / exact.deviation
      #expect(abs(ratio - 1) < 0.02, "standard deviation of pixel \(pixel)")
    }
  }

  /// ∫∫ x p(u | y) p(x | u, y_i): p(x | u) ∝ N(x; m, s) P(y_i | x), noise σ alone.
  private func pixelMoments(_ pixel: Int, _ grid: [Double], _ weights: [Double]) -> GridMoments {
    var result = GridMoments()
    let deviation = Double(problem.residuals[pixel]).squareRoot()
    for index in stride(from: 0, to: grid.count, by: 5) where weights[index] > 1e-8 {
      let mean = Double(problem.mean[pixel]) + Double(problem.weights[pixel]) * grid[index]
      var inner: [(x: Double, weight: Double)] = []
      for step in -100...100 {
        let z = 0.06 * Double(step)
        let x = mean + deviation * z
        let noise: Double
        switch problem.data.kinds[pixel] {
        case .unobserved: noise = 1
        case .measured: noise = exp(-0.5 * pow((Double(problem.data.values[pixel]) - x) / 0.2, 2))
        case .belowLow: noise = 0.5 * erfc(x / 0.2 / 2.0.squareRoot())
        case .aboveHigh: noise = 0.5 * erfc((1 - x) / 0.2 / 2.0.squareRoot())
        }
        inner.append((x, exp(-0.5 * z * z) * noise))
      }
      let total = inner.reduce(0) { $0 + $1.weight }
      for (x, weight) in inner { result.add(x, weight: weights[index] * weight / total) }
    }
    return result
  }

  // u and ln σ with its prior N(ln 0.5, 1) on a grid. Seen to fail: the prior of ln σ left out; the slope of
  // censored data in ln σ lost; σ of the estimate used for the position's.
  @Test("clipped data with σ inferred give the posterior of quadrature")
  func inferred() throws {
    let posterior = try problem.posterior(.inferred(estimates: [0.5]))
    // A chain is exact with any gradient; the censored data's own is seen here alone.
    let report = try checkLogDensity(
      posterior, problem: 0, at: [0.2, log(0.3)], step: 0.02, key: RandomKey(seed: 10))
    #expect(report.gradientError < 1e-4)
    let draws = try run(posterior, start: [0, log(0.3)], seed: 32).draws
    var (u, level) = (GridMoments(), GridMoments())
    for logSigma in stride(from: -6.0, through: 2, by: 0.02) {
      let prior = -0.5 * pow(logSigma - log(0.5), 2)
      for value in stride(from: -6.0, through: 6, by: 0.03) {
        let weight = exp(problem.logDensity(value, sigma: exp(logSigma)) + prior)
        u.add(value, weight: weight)
        level.add(logSigma, weight: weight)
      }
    }
    expectMean(draws.coordinate(0), u.mean)
    expectDeviation(draws.coordinate(0), u.deviation)
    expectMean(draws.coordinate(1), level.mean)
    expectDeviation(draws.coordinate(1), level.deviation)
  }
}
