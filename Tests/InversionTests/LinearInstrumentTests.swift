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
@testable import Likelihoods
@testable import Noise
@testable import Numerics

private func posterior(
  _ problem: LinearInstrument, _ turned: DiagonalizedMeasurement, _ map: any DifferentiableMap
) throws -> ImagePosterior {
  ImagePosterior(
    generator: try problem.prior.generator, instrument: map, logVolume: turned.logVolume,
    problems: [turned.pixelData(problem.data)],
    noiseLevel: .known([turned.level(of: LinearInstrument.sigma)]))
}

/// Data above `largestSpectral` are whitened by a Cholesky factor: both ways.
private func turned(
  _ problem: LinearInstrument, isSpectral: Bool
) throws -> DiagonalizedMeasurement {
  try DiagonalizedMeasurement(
    problem.measurement, level: .known(LinearInstrument.sigma), isScaleInferred: false,
    largestSpectral: isSpectral ? 1500 : 10)
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
    #expect(turned.variances.contains { $0 > 0 } == isSpectral)
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

  // Fails when: λ is read as a standard deviation; σ² or α² multiplies the wrong part; r is lost or not
  // scaled by the first guess.
  @Test("one rotation serves every level and every size of the residual")
  func levels() throws {
    let problem = try LinearInstrument()
    let base = [0.1, 0.2, -0.4, 0.3, 1, -1]
    let guess = 0.12
    let spectral = try DiagonalizedMeasurement(
      problem.measurement, level: .inferred(firstGuess: guess), isScaleInferred: true)
    for (sigma, scale) in [(0.03, 1), (0.12, 1), (0.12, 2.5), (0.5, 0.4)] {
      // r goes with σ² where σ is inferred.
      let whitened = try DiagonalizedMeasurement(
        problem.scaled(residual: scale, fixed: sigma / guess), level: .known(sigma),
        isScaleInferred: false, largestSpectral: 10)
      let expected = try evaluate(
        ImagePosterior(
          generator: try problem.prior.generator, instrument: whitened.makeInstrument(),
          logVolume: whitened.logVolume, problems: [whitened.pixelData(problem.data)],
          noiseLevel: .known([whitened.level(of: sigma)])), problems: [0], [base]
      ).values[0]
      let inferred = ImagePosterior(
        generator: try problem.prior.generator, instrument: spectral.makeInstrument(),
        logVolume: spectral.logVolume, problems: [spectral.pixelData(problem.data)],
        noiseLevel: .inferred(estimates: [sigma]),
        residualScale: ResidualScale(mean: log(scale), deviation: 0.3))
      let found = try evaluate(inferred, problems: [0], [base + [log(sigma), log(scale)]])
      // Both levels stand at the modes of their priors.
      let priors = -0.5 * log(2 * Double.pi) * 2 - log(NoiseLevel.priorSpread) - log(0.3)
      #expect(
        abs(found.values[0] - priors - expected) < 1e-5 * max(100, abs(expected)),
        "σ \(sigma), α \(scale)")
      let report = try checkLogDensity(
        inferred, problem: 0, at: base + [log(sigma) + 0.1, log(scale) - 0.1], step: 0.01,
        key: RandomKey(seed: 6))
      #expect(report.gradientError < 1e-4)
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
  // Fails when: the factors' coefficients have no prior; the factors are not painted, or not scaled by
  // α; the slope in ln α forgets them; coordinates are exchanged between lanes.
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
      noiseLevel: .known([0.2]), residualScale: ResidualScale(mean: 0, deviation: 1),
      scaledCount: 2)
    #expect(painted.dimension == model.latentDimension + 3)
    // ln α = ½ in all rows.
    let scale = exp(0.5)
    let rows = (0..<3).map { _ in stream.normals(painted.dimension - 1) + [0.5] }
    let found = try evaluate(painted, problems: [0, 0, 0], rows)
    for (row, value) in zip(rows, found.values) {
      let latent = Array(row.prefix(model.latentDimension))
      let plain = ImagePosterior(
        generator: inCodes ? model.decoder : model.generator, flow: inCodes ? model.flow : nil,
        problems: [shifted(data, by: residual.factors, row[4..<6].map { scale * $0 })],
        noiseLevel: .known([0.2]), residualScale: ResidualScale(mean: 0, deviation: 1))
      var expected = try evaluate(plain, problems: [0], [latent + [0.5]]).values[0]
      for a in row[4..<6] { expected -= 0.5 * (a * a + log(2 * Double.pi)) }
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
        zip(base.position(chain: 0, draw: draw).suffix(3), row.suffix(3)).allSatisfy {
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
      }, kinds: data.kinds, extraVariances: data.extraVariances,
      residualVariances: data.residualVariances, low: data.low, high: data.high)
  }
}
