import LawCheckers
import Foundation
import Maps
import Randomness
import Tensors
import Testing

@testable import Likelihoods
@testable import Noise
@testable import Numerics
@testable import Operators

/// A blurred 6×6 picture of which some elements are seen, under coloured noise, with a residual of two
/// factors; and the covariance of its data by sums.
private struct BlurredExample {
  static let shape = Shape(1, 6, 6)
  static let sigma = 0.7
  let measurement: GaussianMeasurement
  let covariance: [Double]

  init() throws {
    var stream = RandomKey(seed: 61).stream()
    let count = Self.shape.count
    let observed = (0..<count).map { $0 % 4 != 2 }
    let spectrum = try roughSpectrum(6, 6)
    let fixed = (0..<count).map { Float(0.05 + 0.01 * Double($0 % 5)) }
    let residual = ResidualCovariance(
      variances: (0..<count).map { 0.1 + 0.02 * Float($0 % 7) },
      factors: (0..<2 * count).map { _ in Float(0.4 * stream.normal()) })
    measurement = try GaussianMeasurement(
      forwardOperator: ConvolutionOperator(shape: Self.shape, kernel: crookedKernel(3, 3)),
      observed: observed, noise: NoiseShape(spatial: .stationary(spectrum)),
      fixedVariances: fixed, residual: residual)
    let seen = observed.indices.filter { observed[$0] }
    let matrix = try measurement.matrix()
    var total = submatrix(stationaryCovariance(spectrum), seen).map {
      Self.sigma * Self.sigma * $0
    }
    for i in seen.indices {
      total[i * (seen.count + 1)] += Double(fixed[seen[i]])
      for j in seen.indices {
        for p in 0..<count {
          total[i * seen.count + j] +=
            matrix[i * count + p] * matrix[j * count + p] * Double(residual.variances[p])
        }
        for r in 0..<2 {
          let painted = [i, j].map { row in
            (0..<count).reduce(0.0) {
              $0 + matrix[row * count + $1] * Double(residual.factors[r * count + $1])
            }
          }
          total[i * seen.count + j] += painted[0] * painted[1]
        }
      }
    }
    covariance = total
  }

  /// The measurement with as many probes as data: its log-determinant is exact.
  func correlated(_ solver: NoiseSolver) throws -> CorrelatedMeasurement {
    var iteration = ConjugateGradients()
    (iteration.tolerance, iteration.neighbours, iteration.probes) = (1e-12, 6, 64)
    return try CorrelatedMeasurement(
      measurement, sigma: Self.sigma, solver: solver, iteration: iteration)
  }
}

@Suite struct GaussianEvaluatorTests {
  /// What `evaluate` wrote.
  private struct Outcome {
    var values: [Double]
    var gradients: [Float]
    var slopes: [Double]
  }

  private func evaluate(_ evaluator: GaussianEvaluator, _ means: [Float], lanes: Int) -> Outcome {
    var found = Outcome(
      values: .init(repeating: .nan, count: lanes),
      gradients: .init(repeating: .nan, count: means.count),
      slopes: .init(repeating: .nan, count: 2 * lanes))
    let levels = [NoiseLevels](repeating: NoiseLevels(sigma: 3, residualScale: 2), count: lanes)
    var values = found.values
    var gradients = found.gradients
    var sigmas = values
    var scales = values
    var valueSpan = values.mutableSpan
    var gradientSpan = gradients.mutableSpan
    var sigmaSpan = sigmas.mutableSpan
    var scaleSpan = scales.mutableSpan
    evaluator.evaluate(
      means: means.span, levels: levels.span, logDensities: &valueSpan,
      meanGradients: &gradientSpan, logSigmaGradients: &sigmaSpan, logScaleGradients: &scaleSpan)
    (found.values, found.gradients, found.slopes) = (values, gradients, sigmas + scales)
    return found
  }

  // The operator works in single precision: 3e-6 of the value and 1e-5 of the largest slope, as in
  // SumNoiseTests. Fails when: the gradient's sign is that of r; lanes take the data of another problem; σ²
  // is σ; the mask is left out; r or the residual is lost.
  @Test(
    "value and gradient are a dense Gaussian's",
    arguments: [NoiseSolver.dense, .conjugateGradients])
  func value(_ solver: NoiseSolver) throws {
    let example = try BlurredExample()
    let measurement = try example.correlated(solver)
    let d = measurement.count
    #expect(d == 27 && measurement.noise.solver == solver)
    var stream = RandomKey(seed: 62).stream()
    let data = (0..<2).map { _ in stream.normals(d).map { Float($0) } }
    let lanes = [1, 0, 1]
    let means = stream.normals(3 * d).map { Float($0) }
    let found = evaluate(
      try GaussianEvaluator(data: data, lanes: lanes, noise: measurement.noise), means, lanes: 3)
    for lane in 0..<3 {
      let residual = (0..<d).map { Double(data[lanes[lane]][$0]) - Double(means[lane * d + $0]) }
      let expected = denseGaussian(residual, covariance: example.covariance)
      #expect(abs(found.values[lane] - expected.value) < 3e-6 * abs(expected.value))
      let largest = expected.pull.map(abs).max() ?? 0
      for datum in 0..<d {
        #expect(
          abs(Double(found.gradients[lane * d + datum]) - expected.pull[datum]) < 1e-5 * largest)
      }
    }
    #expect(found.slopes.allSatisfy { $0 == 0 })
  }

  // Fails when: NaN goes into a gradient, or into another lane.
  @Test("means that are no numbers have no density")
  func notFinite() throws {
    let measurement = try BlurredExample().correlated(.conjugateGradients)
    let d = measurement.count
    let evaluator = try GaussianEvaluator(
      data: [[Float](repeating: 0, count: d)], lanes: [0, 0, 0], noise: measurement.noise)
    var means = [Float](repeating: 0.5, count: 3 * d)
    let whole = evaluate(evaluator, means, lanes: 3)
    means[3] = .nan
    means[d + 4] = .infinity
    let found = evaluate(evaluator, means, lanes: 3)
    #expect(found.values[0] == -.infinity && found.values[1] == -.infinity)
    #expect(found.gradients.prefix(2 * d).allSatisfy { $0 == 0 })
    #expect(found.values[2] == whole.values[2])
    #expect(found.gradients.suffix(d) == whole.gradients.suffix(d))
  }
}

@Suite struct CorrelatedMeasurementTests {
  // Fails when: the iterations are not looked at.
  @Test("iterations that do not get there are refused")
  func convergence() throws {
    let example = try BlurredExample()
    var iteration = ConjugateGradients()
    (iteration.tolerance, iteration.neighbours, iteration.maximumIterations) = (1e-10, 2, 2)
    #expect {
      _ = try CorrelatedMeasurement(
        example.measurement, sigma: 0.7, solver: .conjugateGradients, iteration: iteration)
    } throws: {
      "\($0)".contains("2 iterations")
    }
  }

  // Fails when: a white level is not added; a stationary part of variance 0 is; a spectrum is scaled to σ
  // times its variance.
  @Test("the level is part of the covariance", arguments: [0.0, 0.5])
  func level(_ sigma: Double) throws {
    let shape = Shape(1, 4, 5)
    let fixed = [Float](repeating: 0.25, count: 20)
    let spectrum = try roughSpectrum(4, 5)
    for (noise, variance) in [
      (NoiseShape.white, 1), (NoiseShape(spatial: .stationary(spectrum)), spectrum.variance),
    ] {
      let measurement = try CorrelatedMeasurement(
        GaussianMeasurement(
          forwardOperator: IdentityOperator(shape: shape), noise: noise, fixedVariances: fixed,
          residual: .none(20)), sigma: sigma)
      var stream = RandomKey(seed: 63).stream()
      let plan = try measurement.noise.makePlan(lanes: 4000)
      var draws = [Double](repeating: 0, count: 80000)
      var span = draws.mutableSpan
      plan.draw(&stream, into: &span)
      let square = draws.reduce(0) { $0 + $1 * $1 } / 80000
      // 4,000 draws if a picture were one number: 4 standard errors.
      let expected = sigma * sigma * variance + 0.25
      #expect(abs(square / expected - 1) < 4 * (2.0 / 4000).squareRoot())
    }
  }
}
