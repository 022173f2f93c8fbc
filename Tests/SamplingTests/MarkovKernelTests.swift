import Diagnostics
import Foundation
import Numerics
import Probability
import Randomness
import Testing
import Workers

@testable import Sampling

let kernels: [any MarkovKernel] = [
  NoUTurnSampler(), HamiltonianMonteCarlo(trajectoryLength: 1.6), CheesHamiltonianMonteCarlo(),
]

/// A plain run of one problem.
func runChains(
  _ density: any LogDensity, start: [Double], spread: Double = 0.1, chains: Int = 8,
  kernel: any MarkovKernel, options: SamplerOptions = .init(draws: 1000, warmup: 300),
  metric: (any Metric)? = nil, threads: Int = 2, seed: UInt64 = 21
) throws -> SamplingRun {
  let key = RandomKey(seed: seed)
  let starts = (0..<chains).map { chain in
    var stream = key.child("start").child(chain).stream()
    return start.map { $0 + spread * stream.normal() }
  }
  return try sample(
    density, problems: [SamplingProblem(starts: starts, initialMetric: metric, key: key)],
    kernel: kernel, options: options, pool: WorkerPool(threads: threads))
}

/// Demands an effective size of `floor`, then that the mean of the trace is `expected` within 4
/// standard errors.
func expectMean(
  _ trace: [[Double]], _ expected: Double, floor: Double = 1000, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(ScalarDiagnostics(trace).bulkESS > floor, comment, sourceLocation: sourceLocation)
  let mean = trace.joined().reduce(0, +) / Double(trace.count * trace[0].count)
  let z = (mean - expected) / MonteCarloErrors.ofMean(trace)
  #expect(abs(z) < 4, comment, sourceLocation: sourceLocation)
}

@Suite struct MarkovKernelTests {
  // Mean and every element of the covariance. Fails when: acceptance compares with the wrong sign;
  // the multinomial choice forgets the weight of a half; the momentum is not refreshed; the metric
  // enters the kinetic energy but not the momentum.
  @Test(
    "kernels leave a shifted, correlated, non-unit Gaussian as it is", arguments: kernels.indices)
  func gaussian(_ index: Int) throws {
    let target = GaussianTarget.correlated(dimension: 4)
    let run = try runChains(target.density(), start: target.mean, kernel: kernels[index])
    let draws = run.problems[0].draws
    #expect(run.problems[0].divergences == 0)
    let centered = (0..<4).map { i in
      draws.coordinate(i).map { $0.map { $0 - target.mean[i] } }
    }
    for i in 0..<4 {
      expectMean(centered[i], 0, "mean \(i)")
      for j in 0...i {
        let products = zip(centered[i], centered[j]).map { zip($0, $1).map { $0 * $1 } }
        expectMean(products, target.covariance[4 * i + j], "covariance \(i) \(j)")
      }
    }
  }

  // With a step far too large for comfort, only the acceptance keeps the target. Fails when: NUTS
  // weighs all points alike; HMC accepts everything; biased doubling is used inside a doubling.
  @Test("kernels are exact at a coarse step", arguments: kernels.indices)
  func coarse(_ index: Int) throws {
    let target = GaussianTarget(mean: [1, -2], covariance: [0.5, 0.3, 0.3, 0.4])
    let options = SamplerOptions(
      draws: 4000, warmup: 100, targetAcceptance: 0.5, metricAdaptation: .fixed)
    let run = try runChains(
      target.density(), start: target.mean, kernel: kernels[index], options: options)
    #expect(run.problems[0].acceptance < 0.75)
    for i in 0..<2 {
      let trace = run.problems[0].draws.coordinate(i)
      expectMean(trace, target.mean[i])
      expectMean(
        trace.map { $0.map { ($0 - target.mean[i]) * ($0 - target.mean[i]) } },
        target.covariance[3 * i])
    }
  }

  // x = log y with y ~ Gamma(3, 1): density exp(3x − eˣ), mean of y 3, variance 3, E x = ψ(3).
  // Fails when: proposals go forward in time only and the first end is lost.
  @Test("kernels keep a skewed target", arguments: kernels.indices)
  func skewed(_ index: Int) throws {
    let target = FunctionTarget(dimension: 2) { _, x, gradient in
      for i in 0..<2 { gradient[i] = 3 - exp(x[i]) }
      return 3 * (x[0] + x[1]) - exp(x[0]) - exp(x[1])
    }
    let run = try runChains(target, start: [1, 1], kernel: kernels[index])
    for i in 0..<2 {
      let trace = run.problems[0].draws.coordinate(i)
      // ψ(3) = 3/2 − γ.
      expectMean(trace, 1.5 - 0.577_215_664_901_532_9)
      expectMean(trace.map { $0.map(exp) }, 3)
      expectMean(trace.map { $0.map { (exp($0) - 3) * (exp($0) - 3) } }, 3)
    }
  }

  // A funnel, v ~ N(0, 1), x | v ~ N(0, e^v), with a neck mild enough for one step size; a few of 16000
  // transitions may diverge in it.
  @Test("NUTS samples a mild funnel")
  func funnel() throws {
    let target = FunctionTarget(dimension: 2) { _, q, gradient in
      let (v, x) = (q[0], q[1])
      gradient[0] = -v - 0.5 + 0.5 * x * x * exp(-v)
      gradient[1] = -x * exp(-v)
      return -0.5 * v * v - 0.5 * v - 0.5 * x * x * exp(-v)
    }
    let options = SamplerOptions(draws: 2000, warmup: 500, targetAcceptance: 0.95)
    let run = try runChains(target, start: [0, 0], kernel: NoUTurnSampler(), options: options)
    let v = run.problems[0].draws.coordinate(0)
    expectMean(v, 0)
    expectMean(v.map { $0.map { $0 * $0 } }, 1)
    #expect(run.problems[0].divergences < 16)
  }

  // The density is −∞ (or NaN, or its gradient is) for x < 0; the rest is a half normal, E x = √(2/π).
  // Fails when: a NaN energy compares as small; a path through −∞ is accepted.
  @Test(
    "a region without density diverges and leaves no trace",
    arguments: [0, 1], [Double.nan, -Double.infinity, Double.infinity])
  func wall(_ index: Int, _ value: Double) throws {
    let target = FunctionTarget(dimension: 1) { _, x, gradient in
      gradient[0] = x[0] < 0 ? value : -x[0]
      return x[0] < 0 ? (value == .infinity ? 0 : value) : -0.5 * x[0] * x[0]
    }
    // Near a wall no step size accepts 0.8.
    let run = try runChains(
      target, start: [1], kernel: kernels[index],
      options: SamplerOptions(draws: 1000, warmup: 100, targetAcceptance: 0.4))
    let problem = run.problems[0]
    #expect(problem.divergences > 0)
    #expect(problem.draws.positions.allSatisfy { $0 >= 0 })
    #expect(problem.draws.logDensities.allSatisfy { $0.isFinite })
    #expect(problem.records.joined().allSatisfy { $0.energy.isFinite && $0.acceptance.isFinite })
    expectMean(problem.draws.coordinate(0), (2 / Double.pi).squareRoot(), floor: 400)
  }

  // Fails when: the largest tree has one doubling more, or counts steps wrongly.
  @Test("a tree stops at its maximum depth")
  func depth() throws {
    let target = GaussianTarget(mean: [0], covariance: [1])
    let metric = DiagonalMetric(variances: [1e-8])
    let run = try runChains(
      target.density(), start: [0.5], chains: 2, kernel: NoUTurnSampler(maximumDepth: 3),
      options: SamplerOptions(
        draws: 20, warmup: 60, targetAcceptance: 0.999_999, metricAdaptation: .fixed),
      metric: metric)
    let deep = run.problems[0].records.joined().filter { $0.end == .maximumDepth }
    #expect(!deep.isEmpty)
    #expect(deep.allSatisfy { $0.depth == 3 && $0.steps == 7 })
    #expect(run.problems[0].records.joined().allSatisfy { $0.steps <= 7 })
  }
}
