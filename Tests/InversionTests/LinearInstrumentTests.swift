import Diagnostics
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
@testable import Measurement

private func posterior(
  _ problem: LinearInstrument, _ turned: DiagonalizedMeasurement, _ map: any DifferentiableMap
) throws -> ImagePosterior {
  ImagePosterior(
    generator: try problem.prior.generator, instrument: map, logVolume: turned.logVolume,
    problems: [turned.pixelData(problem.data)],
    noiseLevel: .known([turned.includedSigma == nil ? LinearInstrument.sigma : 0]))
}

/// Data above `largestSpectral` are whitened by a Cholesky factor: both ways.
private func turned(
  _ problem: LinearInstrument, isSpectral: Bool
) throws -> DiagonalizedMeasurement {
  try DiagonalizedMeasurement(
    problem.measurement, sigma: LinearInstrument.sigma, largestSpectral: isSpectral ? 1500 : 10)
}

@Suite("an instrument with blur, mask, coloured noise and residual") struct LinearInstrumentTests {
  // ln p(y) = ln p(u, y) − ln p(u | y) at any u: here at the posterior mean, whose density is known.
  // Fails when: ln det N₀, a half of it, r, Σ's factors or σ² is lost; the mask is applied before
  // the blur; the blur is transposed.
  @Test("the log density has all constants", arguments: [true, false])
  func value(_ isSpectral: Bool) throws {
    let problem = try LinearInstrument()
    let exact = problem.solve()
    let turned = try turned(problem, isSpectral: isSpectral)
    #expect((turned.includedSigma == nil) == isSpectral)
    let posterior = try posterior(problem, turned, turned.makeInstrument())
    let value = try evaluate(posterior, problems: [0], [exact.baseMean]).values[0]
    var logDeterminant = 0.0
    var covariance = exact.baseCovariance
    for k in covariance.indices {
      logDeterminant += log(covariance[k][k])
      for row in k + 1..<max(k + 1, covariance.count) {
        let factor = covariance[row][k] / covariance[k][k]
        for column in k..<covariance.count {
          covariance[row][column] -= factor * covariance[k][column]
        }
      }
    }
    let density = -0.5 * (logDeterminant + Double(LinearInstrument.latent) * log(2 * Double.pi))
    #expect(abs(value - density - exact.evidence) < 1e-5 * max(100, abs(exact.evidence)))
    let report = try checkLogDensity(
      posterior, problem: 0, at: exact.baseMean.map { $0 + 0.3 }, step: 0.02,
      key: RandomKey(seed: 5))
    #expect(report.gradientError < 1e-4)
  }

  // The level that was inferred with the rest is that of the same total covariance.
  // Fails when: λ is read as a standard deviation; σ² does not multiply N₀.
  @Test("one rotation serves every level")
  func levels() throws {
    let problem = try LinearInstrument()
    let spectral = try turned(problem, isSpectral: true)
    for sigma in [0.03, 0.12, 0.5] {
      let whitened = try DiagonalizedMeasurement(
        problem.measurement, sigma: sigma, largestSpectral: 10)
      func value(_ turned: DiagonalizedMeasurement, _ level: Double) throws -> Double {
        let posterior = ImagePosterior(
          generator: try problem.prior.generator, instrument: turned.makeInstrument(),
          logVolume: turned.logVolume, problems: [turned.pixelData(problem.data)],
          noiseLevel: .known([level]))
        return try evaluate(posterior, problems: [0], [[0.1, 0.2, -0.4, 0.3, 1, -1]]).values[0]
      }
      let (first, second) = (try value(spectral, sigma), try value(whitened, 0))
      #expect(abs(first - second) < 1e-5 * max(100, abs(first)), "σ \(sigma)")
    }
  }

  // Fails when: ε's mean, its covariance with the data or a term of Matheron's rule is lost; the
  // variance that data leave of ε is that of its diagonal.
  @Test("draws of u and of x are the closed form's", arguments: [true, false])
  func sampling(_ isSpectral: Bool) throws {
    let problem = try LinearInstrument()
    let exact = problem.solve()
    let turned = try turned(problem, isSpectral: isSpectral)
    let map = turned.makeInstrument()
    let posterior = try posterior(problem, turned, map)
    let key = RandomKey(seed: 71)
    let precision = try GaussNewtonMetric(posterior).precision(at: exact.baseMean, problem: 0)
    let metric = try #require(
      DenseMetric(precision: precision, dimension: LinearInstrument.latent))
    let pool = WorkerPool(threads: 2)
    let run = try sample(
      posterior,
      problems: [
        SamplingProblem(
          starts: Array(repeating: exact.baseMean, count: 8), initialMetric: metric, key: key)
      ],
      kernel: NoUTurnSampler(), options: SamplerOptions(draws: 1000, warmup: 100), pool: pool
    ).problems[0]
    #expect(run.divergences == 0)
    for k in 0..<LinearInstrument.latent {
      expectMean(run.draws.coordinate(k), exact.baseMean[k], "mean of u \(k)")
      expectDeviation(
        run.draws.coordinate(k), exact.baseCovariance[k][k].squareRoot(), "spread of u \(k)")
    }
    let law = LinearResidualConditional(
      instrument: turned, map: map, data: posterior.problems[0])
    let pictures = try PosteriorPictures(
      posterior: posterior, problem: 0, draws: run.draws, residual: law, pool: pool)
    let drawn = try PosteriorPictures.drawn(
      3000, posterior: posterior, problem: 0, draws: run.draws, residual: law,
      key: key.child("drawn"))
    var (worstMean, worstSpread, worstDrawn, drawnSquares) = (0.0, 0.0, 0.0, 0.0)
    for pixel in 0..<LinearInstrument.pixels {
      let (mean, deviation) = (exact.pictureMean[pixel], exact.pictureDeviation[pixel])
      worstMean = max(worstMean, abs(Double(pictures.mean.values[pixel]) - mean) / deviation)
      worstSpread = max(
        worstSpread, abs(Double(pictures.standardDeviation.values[pixel]) / deviation - 1))
      let values = drawn.map { (Double($0.values[pixel]) - mean) / deviation }
      let average = values.reduce(0, +) / 3000
      worstDrawn = max(worstDrawn, abs(average) * 3000.0.squareRoot())
      drawnSquares += values.reduce(0) { $0 + $1 * $1 } / 3000
    }
    // The mean's own Monte Carlo error is at most the share of u in the spread over √ESS: 1/√6000; 4 of
    // them. The deviation within the 2 % of the house.
    #expect(worstMean < 4 / 6000.0.squareRoot())
    #expect(worstSpread < 0.02)
    // 256 means of 3,000 nearly independent draws, 4.5 standard errors; their mean square, 1 ± 4 times
    // the error if all pixels moved together.
    #expect(worstDrawn < 4.5)
    #expect(abs(drawnSquares / 256 - 1) < 4 * (2.0 / 3000).squareRoot())
  }
}

@Suite("painted factors") struct ResidualCoordinatesTests {
  // Fails when: the factors' coefficients have no prior; the factors are not painted; coordinates are
  // exchanged between lanes.
  @Test(
    "the density is that of the factors' coefficients and independent data",
    arguments: [true, false])
  func density(_ inCodes: Bool) throws {
    let model = try tinyModel(isSmooth: true)
    let data = try model.data(.measured, seed: 3)
    var stream = RandomKey(seed: 8).stream()
    let residual = ResidualCovariance(
      variances: model.residualVariances,
      factors: (0..<2 * data.count).map { _ in Float(0.1 * stream.normal()) })
    let painted = ImagePosterior(
      generator: FactorPainting(inCodes ? model.decoder : model.generator, residual: residual),
      flow: inCodes ? ExtendedFlow(model.flow, extra: 2) : nil, problems: [data],
      noiseLevel: .known([0.2]))
    #expect(painted.dimension == model.latentDimension + 2)
    let rows = (0..<3).map { _ in stream.normals(painted.dimension) }
    let found = try evaluate(painted, problems: [0, 0, 0], rows)
    for (row, value) in zip(rows, found.values) {
      let latent = Array(row.prefix(model.latentDimension))
      let plain = ImagePosterior(
        generator: inCodes ? model.decoder : model.generator, flow: inCodes ? model.flow : nil,
        problems: [shifted(data, by: residual.factors, Array(row.suffix(2)))],
        noiseLevel: .known([0.2]))
      var expected = try evaluate(plain, problems: [0], [latent]).values[0]
      for a in row.suffix(2) { expected -= 0.5 * (a * a + log(2 * Double.pi)) }
      #expect(abs(value - expected) < 1e-4 * max(10, abs(expected)))
    }
    let report = try checkLogDensity(
      painted, problem: 0, at: rows[1], step: 0.02, key: RandomKey(seed: 4))
    #expect(report.gradientError < 1e-4)
    #expect(report.lanesAgree)
    // Draws come back as base variables, coefficients as they were.
    let set = DrawSet(
      chains: 1, draws: 3, dimension: painted.dimension, positions: rows.flatMap { $0 },
      logDensities: found.values)
    let base = try painted.baseDraws(set)
    for (draw, row) in rows.enumerated() {
      #expect(
        zip(base.position(chain: 0, draw: draw).suffix(2), row.suffix(2)).allSatisfy {
          abs($0 - $1) < 1e-6
        })
    }
  }

  /// Measured data that see m as they would see m + F a.
  private func shifted(_ data: PixelData, by factors: [Float], _ a: [Double]) -> PixelData {
    PixelData(
      values: data.values.indices.map { index in
        a.indices.reduce(data.values[index]) {
          $0 - Float(a[$1]) * factors[$1 * data.count + index]
        }
      }, kinds: data.kinds, extraVariances: data.extraVariances, low: data.low, high: data.high)
  }
}
