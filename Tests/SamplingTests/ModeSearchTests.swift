import Foundation
import Probability
import Randomness
import Testing
import Workers

@testable import Sampling

private let pool = WorkerPool(threads: 2)
private let exact = OptimizerOptions(
  maximumIterations: 3000, gradientTolerance: 1e-13, objectiveTolerance: 0, valueNoise: 1e-14)

/// −100 (y − x²)² − (1 − x)², in pairs of coordinates; the maximum is at (1, 1, …).
private let valley = FunctionTarget(dimension: 4) { _, q, gradient in
  var value = 0.0
  for i in stride(from: 0, to: 4, by: 2) {
    let (x, y) = (q[i], q[i + 1])
    let bend = y - x * x
    value -= 100 * bend * bend + (1 - x) * (1 - x)
    gradient[i] = 400 * bend * x + 2 * (1 - x)
    gradient[i + 1] = -200 * bend
  }
  return value
}

/// Two bumps, at −2 (higher) and 2, and a prior; tempering flattens the bumps.
private struct TwoModes: TemperedLogDensity {
  var beta = 1.0
  let dimension = 1
  func tempered(_ inverseTemperature: Double) -> any LogDensity {
    TwoModes(beta: inverseTemperature)
  }
  func makeEvaluator(problems: [Int]) throws -> any LogDensityEvaluator {
    let beta = beta
    let target = FunctionTarget(dimension: 1) { _, x, gradient in
      let left = 2 * exp(-2 * (x[0] + 2) * (x[0] + 2))
      let right = exp(-2 * (x[0] - 2) * (x[0] - 2))
      let slope = -4 * (x[0] + 2) * left - 4 * (x[0] - 2) * right
      gradient[0] = beta * slope / (left + right + 1e-3) - 0.01 * x[0]
      return beta * log(left + right + 1e-3) - 0.005 * x[0] * x[0]
    }
    return try target.makeEvaluator(problems: problems)
  }
}

@Suite struct ModeSearchTests {
  // Fails when: y is the wrong way round; the two loops run in the same order.
  @Test("a quadratic is climbed to 1e-8")
  func quadratic() throws {
    let target = GaussianTarget.correlated(dimension: 30)
    let optimum = try maximize(
      target.density(), starts: [[target.mean.map { $0 + 0.3 }]], options: exact, pool: pool)[0][0]
    for (value, expected) in zip(optimum.position, target.mean) {
      #expect(abs(value - expected) < 1e-8)
    }
  }

  @Test("a curved valley is climbed to 1e-8 from many starts")
  func rosenbrock() throws {
    var stream = RandomKey(seed: 61).child("starts").stream()
    let starts = (0..<11).map { _ in (0..<4).map { _ in 1.5 * stream.normal() } }
    for optimum in try maximize(valley, starts: [starts], options: exact, pool: pool)[0] {
      #expect(optimum.position.allSatisfy { abs($0 - 1) < 1e-8 })
      #expect(optimum.iterations < 120 && optimum.evaluations < 250)
    }
  }

  // A unit prior squeezed by data to variances from 1e-3 to 1, as posteriors here are.
  @Test("default tolerances converge, and say so")
  func converged() throws {
    let covariance = (0..<900).map { $0 % 31 == 0 ? pow(10, -3 * Double($0 / 31) / 29) : 0 }
    let target = GaussianTarget(mean: (0..<30).map { 0.1 * Double($0) }, covariance: covariance)
    let optimum = try maximize(
      target.density(), starts: [[[Double](repeating: 0, count: 30)]], pool: pool)[0][0]
    #expect(optimum.isConverged)
    #expect(optimum.logDensity > -1e-5)
    #expect(optimum.evaluations < 200)
  }

  // Values rounded to single precision at a large offset, 3e-5 nats, as a decoder's are: by values alone
  // positions are known to √(2 · 3e-5) = 0.008 standard deviations, by slopes far better. Fails when: the
  // slopes do not decide below the noise; a search that fails for noise is reported as a failure.
  @Test("a density in single precision converges to its noise")
  func singlePrecision() throws {
    let gaussian = GaussianTarget(mean: [1, 2], covariance: [0.01, 0.003, 0.003, 0.04]).density()
    let rounded = FunctionTarget(dimension: 2) { problem, x, gradient in
      let value = gaussian.function(problem, x, &gradient)
      for i in 0..<2 { gradient[i] = Double(Float(gradient[i] + 10) - 10) }
      return Double(Float(value - 500))
    }
    let starts = (0..<8).map { [Double($0) / 4, 3 - Double($0) / 3] }
    for optimum in try maximize(rounded, starts: [starts], pool: pool)[0] {
      #expect(optimum.isConverged)
      #expect(abs(optimum.position[0] - 1) < 2e-5 && abs(optimum.position[1] - 2) < 4e-5)
      #expect(optimum.evaluations < 100)
    }
  }

  // Newton-like: an L-BFGS step on a 1-D quadratic with exact curvature ends at once.
  @Test("few evaluations on an easy target")
  func easy() throws {
    let target = GaussianTarget(mean: [3], covariance: [0.01])
    let optimum = try maximize(target.density(), starts: [[[2]]], options: exact, pool: pool)[0][0]
    #expect(abs(optimum.position[0] - 3) < 1e-12)
    #expect(optimum.evaluations <= 8)
  }

  // Fails when: −∞ counts as an improvement.
  @Test("a region without density is stepped back from")
  func wall() throws {
    let target = FunctionTarget(dimension: 1) { _, x, gradient in
      gradient[0] = 2 / x[0] - 1
      return x[0] > 0 ? 2 * log(x[0]) - x[0] : .nan
    }
    let optima = try maximize(target, starts: [[[0.01], [50], [-1]]], options: exact, pool: pool)[0]
    #expect(abs(optima[0].position[0] - 2) < 1e-8)
    #expect(abs(optima[1].position[0] - 2) < 1e-8)
    #expect(optima[2].end == .startNotFinite && !optima[2].isConverged)
  }

  @Test("the iteration limit is kept")
  func limit() throws {
    var options = exact
    options.maximumIterations = 3
    let optimum = try maximize(
      valley, starts: [[[-1, 2, -1, 2]]], options: options, pool: pool)[0][0]
    #expect(optimum.end == .iterationLimit && optimum.iterations == 3)
  }

  @Test("results do not depend on threads")
  func threads() throws {
    let starts = (0..<10).map { [Double($0) / 3, 1, 0, Double($0)] }
    let one = try maximize(valley, starts: [starts], pool: WorkerPool(threads: 1))
    let three = try maximize(valley, starts: [starts], pool: WorkerPool(threads: 3))
    for (a, b) in zip(one[0], three[0]) { #expect(a.position == b.position) }
  }

  // Fails when: modes are sorted from the lowest; the first start decides the position.
  @Test("two modes are found, the higher first, with their starts")
  func twoModes() throws {
    var options = exact
    options.earlyInverseTemperatures = []
    let optima = try maximize(
      TwoModes(), starts: [[[-3], [-1.5], [1.6], [2.5], [-2.2]]], options: options, pool: pool)[0]
    let modes = distinctModes(optima, distance: 1e-3)
    #expect(modes.map(\.starts) == [3, 2])
    #expect(abs(modes[0].position[0] + 2) < 0.02 && abs(modes[1].position[0] - 2) < 0.02)
    #expect(modes[0].logDensity > modes[1].logDensity)
    // Four units are one standard deviation of this metric, so 3 of them hold both.
    let wide = DiagonalMetric(variances: [16])
    #expect(distinctModes(optima, distance: 3, metric: wide).map(\.starts) == [5])
    #expect(distinctModes(optima, distance: 0.1, metric: wide).count == 2)
  }

  @Test("tempered stages come before the last and are counted")
  func tempered() throws {
    var options = exact
    options.earlyInverseTemperatures = [0]
    options.earlyIterations = 50
    // At β = 0 only the prior is left, and all starts go to its mode at 0, a saddle-free slope to the
    // higher bump from there.
    let optima = try maximize(TwoModes(), starts: [[[2.5], [-3]]], options: options, pool: pool)[0]
    #expect(abs(optima[0].position[0] - optima[1].position[0]) < 1e-6)
    #expect(optima[0].iterations > 1)
  }
}
