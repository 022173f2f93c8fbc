import Diagnostics
import Foundation
import Likelihoods
import Numerics
import Probability
import Randomness
import Sampling
import Testing
import Workers

@testable import Inversion

/// The oracle of the whole stack: prior, likelihood, optimizer, metric, samplers and pictures against
/// the closed form.
@Suite struct LinearGaussianPriorTests {
  static let problems = LinearProblem.Case.allCases.map { LinearProblem($0) }

  // u to 1e-5 from the start whose gradient fell furthest; from every start up to where a rise drowns
  // in the rounding of the value, ½ δᵀ A δ ≤ 1e-6 |log π|. Fails when: 1/σ² is lost; the mask is
  // inverted; ½‖u‖² is left out (value or gradient); the residual is left out of the likelihood.
  @Test("the mode is the posterior mean", arguments: problems)
  func mode(_ problem: LinearProblem) throws {
    let posterior = try problem.posterior()
    let expected = problem.solve().baseMean
    var stream = RandomKey(seed: 8).stream()
    let starts = (0..<8).map { _ in stream.normals(LinearProblem.latent) }
    let optima = try maximize(
      posterior, starts: [starts],
      options: OptimizerOptions(
        maximumIterations: 2000, gradientTolerance: 1e-9, objectiveTolerance: 0,
        valueNoise: 1e-6), pool: WorkerPool(threads: 2))[0]
    let metric = try #require(
      DenseMetric(precision: problem.precision, dimension: LinearProblem.latent))
    for optimum in optima {
      #expect(optimum.isConverged)
      let loss =
        0.5 * metric.squaredLength(of: zip(optimum.position, expected).map { $0 - $1 })
      #expect(loss < 1e-6 * abs(optimum.logDensity))
    }
    let best = try #require(optima.min { $0.gradientNorm < $1.gradientNorm })
    for (found, exact) in zip(best.position, expected) { #expect(abs(found - exact) < 1e-5) }
  }

  // Fails when: 1/σ² is lost; the identity of the prior is lost; unobserved pixels weigh in.
  @Test("the Gauss–Newton precision is exact for a linear generator", arguments: problems)
  func precision(_ problem: LinearProblem) throws {
    let metric = try GaussNewtonMetric(try problem.posterior())
    let exact = problem.precision
    let scale = exact.map(abs).max()!
    var stream = RandomKey(seed: 9).stream()
    let found = metric.precision(at: stream.normals(LinearProblem.latent), problem: 0)
    for (a, b) in zip(found, exact) { #expect(abs(a - b) < 1e-3 * max(abs(b), 0.1 * scale)) }
    // The two closed forms agree: their product is the identity.
    let identity = solveLinear(
      problem.solve().baseCovariance,
      (0..<LinearProblem.latent).map { k in
        (0..<LinearProblem.latent).map { $0 == k ? 1 : 0 }
      })
    for row in 0..<LinearProblem.latent {
      for column in 0..<LinearProblem.latent {
        #expect(
          abs(identity[row][column] - exact[row * LinearProblem.latent + column]) < 1e-9 * scale)
      }
    }
  }

  // Constant included. Fails when: ½K ln 2π or ½ ln 2πv is lost; ½‖u‖² is left out.
  @Test("the log density is ln p(u) + ln p(y | u)", arguments: problems)
  func value(_ problem: LinearProblem) throws {
    var stream = RandomKey(seed: 10).stream()
    let positions = (0..<3).map { _ in stream.normals(LinearProblem.latent) }
    let found = try evaluate(try problem.posterior(), problems: [0, 0, 0], positions)
    for (value, u) in zip(found.values, positions) {
      var exact = -0.5 * u.reduce(0) { $0 + $1 * $1 } - 3 * log(2 * Double.pi)
      for pixel in 0..<LinearProblem.pixels where problem.observed[pixel] {
        let mean = (0..<LinearProblem.latent).reduce(Double(problem.meanPicture[pixel])) {
          $0 + problem.weight(pixel, $1) * u[$1]
        }
        let variance = problem.totalVariance(pixel)
        let difference = Double(problem.data[pixel]) - mean
        exact -= 0.5 * (difference * difference / variance + log(2 * Double.pi * variance))
      }
      #expect(abs(value - exact) < 3e-6 * max(100, abs(exact)))
    }
  }

  // Mean and every element of the covariance of u, then mean (4 standard errors) and standard
  // deviation (2 %) of every pixel, ε included, then drawn pictures. Fails when: 1/σ² is lost; the mask
  // is inverted; ½‖u‖² is left out; the residual is left out of the likelihood; ε is left out of the
  // pictures or of the drawn pictures; the last lane is skipped (evaluator or pictures).
  @Test("NUTS and HMC find the posterior of u and of x", arguments: problems, ["NUTS", "HMC"])
  func sampling(_ problem: LinearProblem, _ kernel: String) throws {
    let posterior = try problem.posterior()
    let exact = problem.solve()
    let key = RandomKey(seed: 2026).child(problem.kind == .masked ? 1 : 0)
    let pool = WorkerPool(threads: 2)
    let precision = try GaussNewtonMetric(posterior).precision(at: exact.baseMean, problem: 0)
    let metric = try #require(
      DenseMetric(precision: precision, dimension: LinearProblem.latent))
    let run = try sample(
      posterior,
      problems: [
        SamplingProblem(
          starts: Array(repeating: exact.baseMean, count: 8), initialMetric: metric, key: key)
      ],
      kernel: kernel == "NUTS" ? NoUTurnSampler() : HamiltonianMonteCarlo(),
      options: SamplerOptions(draws: 1500, warmup: 200), pool: pool
    ).problems[0]
    #expect(run.divergences == 0)
    expectBase(run.draws, exact)
    try expectPictures(problem, posterior, run.draws, exact, pool)
    try expectDrawnPictures(problem, posterior, run.draws, exact, key.child("drawn"))
  }

  private func expectBase(_ draws: DrawSet, _ exact: LinearProblem.Solution) {
    let centered = (0..<LinearProblem.latent).map { k in
      draws.coordinate(k).map { $0.map { $0 - exact.baseMean[k] } }
    }
    for i in 0..<LinearProblem.latent {
      expectMean(centered[i], 0, "mean \(i)")
      for j in 0...i {
        let products = zip(centered[i], centered[j]).map { zip($0, $1).map { $0 * $1 } }
        expectMean(products, exact.baseCovariance[i][j], "covariance \(i) \(j)")
      }
    }
  }

  private func expectPictures(
    _ problem: LinearProblem, _ posterior: ImagePosterior, _ draws: DrawSet,
    _ exact: LinearProblem.Solution, _ pool: WorkerPool
  ) throws {
    let pictures = try PosteriorPictures(
      posterior: posterior, problem: 0, draws: draws,
      residual: ResidualConditional(data: posterior.problems[0]),
      pool: pool)
    for pixel in 0..<LinearProblem.pixels {
      // G(u) + E(ε | u, y) of each draw, in double precision.
      let gain =
        problem.observed[pixel]
        ? Double(problem.residuals[pixel]) / problem.totalVariance(pixel) : 0
      let trace = (0..<draws.chains).map { chain in
        (0..<draws.draws).map { draw in
          let u = draws.position(chain: chain, draw: draw)
          let mean = u.enumerated().reduce(Double(problem.meanPicture[pixel])) {
            $0 + problem.weight(pixel, $1.offset) * $1.element
          }
          return mean + gain * (Double(problem.data[pixel]) - mean)
        }
      }
      #expect(ScalarDiagnostics(trace).bulkESS > 2000)
      let error = MonteCarloErrors.ofMean(trace)
      let found = Double(pictures.mean.values[pixel])
      #expect(abs(found - exact.pictureMean[pixel]) < 4 * error, "mean of pixel \(pixel)")
      // The picture is the mean of that trace but for single precision.
      #expect(abs(found - average(trace)) < 1e-6, "trace of pixel \(pixel)")
      let ratio =
        Double(pictures.standardDeviation.values[pixel]) / exact.pictureDeviation[pixel]
      #expect(abs(ratio - 1) < 0.02, "standard deviation of pixel \(pixel)")
    }
  }

  private func expectDrawnPictures(
    _ problem: LinearProblem, _ posterior: ImagePosterior, _ draws: DrawSet,
    _ exact: LinearProblem.Solution, _ key: RandomKey
  ) throws {
    let pictures = try PosteriorPictures.drawn(
      4000, posterior: posterior, problem: 0, draws: draws,

      residual: ResidualConditional(data: posterior.problems[0]), key: key)
    #expect(pictures.count == 4000)
    let count = Double(pictures.count)
    for pixel in 0..<LinearProblem.pixels {
      let values = pictures.map {
        (Double($0.values[pixel]) - exact.pictureMean[pixel]) / exact.pictureDeviation[pixel]
      }
      // Draws of u that are three iterations apart are as good as independent: z of the mean, and of
      // the variance, whose error is √(2/n).
      let mean = values.reduce(0, +) / count
      let square = values.reduce(0) { $0 + $1 * $1 } / count
      #expect(abs(mean) * count.squareRoot() < 4.5, "mean of drawn pixel \(pixel)")
      #expect(abs(square - 1) < 4.5 * (2 / count).squareRoot(), "variance of drawn pixel \(pixel)")
    }
  }
}
