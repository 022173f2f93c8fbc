import Diagnostics
import Foundation
import Numerics
import Probability
import Randomness
import Testing
import Workers

@testable import Sampling

private func run(
  _ density: TemperedTarget, islands: Int = 4, particles: Int = 256, deviation: Double = 1,
  problems: [Int] = [0], options: SequentialMonteCarloOptions = .init(), threads: Int = 2,
  seed: UInt64 = 41
) throws -> SequentialMonteCarloRun {
  try sampleSequentially(
    density,
    problems: problems.map {
      let key = RandomKey(seed: seed).child($0)
      return ParticleProblem(
        index: $0,
        islands: normalDraws(
          islands: islands, particles: particles, dimension: density.dimension,
          deviation: deviation, key: key), key: key)
    }, options: options, pool: WorkerPool(threads: threads))
}

/// Noise of deviations 0.01 to 1 and correlations of both signs, data up to 2 from the prior's mean.
private func linearGaussian(_ dimension: Int) -> LinearGaussianTarget {
  let noise = GaussianTarget.correlated(dimension: dimension, seed: 9)
  return LinearGaussianTarget(
    data: (0..<dimension).map { 2 * sin(1 + 2 * Double($0)) },
    covariance: noise.covariance.map { 0.1 * $0 })
}

/// 0.2 N(−μ, s² I) + 0.8 N(μ, s² I), μ along the first axis, 10 s between the modes: the posterior of
/// the prior N(0, 3² I) and a likelihood of two bumps of variance v, 1/s² = 1/9 + 1/v.
private struct TwoBumps {
  static let (dimension, priorVariance, bumpVariance) = (2, 9.0, 0.25)
  static let variance = 1 / (1 / priorVariance + 1 / bumpVariance)
  /// Where the posterior's modes lie, ±; the bumps lie farther out.
  static let mode = 5 * variance.squareRoot()
  static let bump = mode * bumpVariance / variance

  static let density = TemperedTarget(
    prior: normalPrior(dimension: dimension, deviation: priorVariance.squareRoot()),
    likelihood: FunctionTarget(dimension: dimension) { _, x, gradient in
      let rest = x.dropFirst().reduce(0) { $0 + $1 * $1 }
      func logBump(_ center: Double, _ weight: Double) -> Double {
        log(weight) - 0.5 * ((x[0] - center) * (x[0] - center) + rest) / bumpVariance
      }
      let (left, right) = (logBump(-bump, 0.2), logBump(bump, 0.8))
      let share = 1 / (1 + exp(right - left))
      for k in x.indices { gradient[k] = -x[k] / bumpVariance }
      gradient[0] += (1 - 2 * share) * bump / bumpVariance
      return logSumExp(left, right)
    })

  /// ∫ N(x; 0, S) e^(−½‖x − b‖²/v) dx = (2πv)^(D/2) N(b; 0, S + v), the same for both bumps.
  static var logEvidence: Double {
    let total = priorVariance + bumpVariance
    return 0.5 * Double(dimension) * log(bumpVariance / total) - 0.5 * bump * bump / total
  }
}

@Suite struct SequentialMonteCarloTests {
  // The deviation of 8,192 draws is known to 0.8 %. Seen to fail: the acceptance lost; particles resampled
  // without being moved; islands weighted and resampled as one; the last row of each block not stored; blocks
  // that share what moves them; the prior's gradient lost (steps a thousandth as long).
  @Test("a shifted, correlated Gaussian has its mean, covariance and evidence")
  func gaussian() throws {
    let target = linearGaussian(5)
    let problem = try run(target.density, islands: 8, particles: 1024).problems[0]
    let draws = problem.draws
    for i in 0..<5 {
      let centered = draws.coordinate(i).map { $0.map { $0 - target.posterior.mean[i] } }
      expectMean(centered, 0, "mean \(i)")
      let squares = centered.joined().reduce(0) { $0 + $1 * $1 } / 8192
      let variance = target.posterior.covariance[6 * i]
      #expect(abs((squares / variance).squareRoot() - 1) < 0.02, "deviation \(i)")
      for j in 0..<i {
        let other = draws.coordinate(j).map { $0.map { $0 - target.posterior.mean[j] } }
        expectMean(
          zip(centered, other).map { zip($0, $1).map { $0 * $1 } },
          target.posterior.covariance[5 * i + j], "covariance \(i) \(j)")
      }
    }
    #expect(abs(problem.logEvidence - target.logEvidence) < 0.1)
    let error = try #require(problem.logEvidenceError)
    #expect(error < 0.1 && abs(problem.logEvidence - target.logEvidence) < 4 * error)
    // Paths of 1 to 3 steps, as on a unit Gaussian: any gradient is exact, a wrong one takes hundreds.
    #expect(problem.levels.allSatisfy { $0.steps <= 4 * $0.moves })
  }

  // Seen: 2.4 nats too low, and never less than 1.8 with other seeds, when each particle has a hand in
  // the metric that moves it; 0.4 is the root mean square error without.
  @Test("in forty dimensions a thousand particles find the evidence")
  func evidence() throws {
    let target = linearGaussian(40)
    let problem = try run(target.density).problems[0]
    #expect(abs(problem.logEvidence - target.logEvidence) < 1.2)
    let levels = problem.levels
    #expect(levels.last?.inverseTemperature == 1)
    #expect(
      zip(levels, levels.dropFirst()).allSatisfy { $0.inverseTemperature < $1.inverseTemperature })
    // After the first level the step size is found.
    #expect(levels.dropFirst(2).allSatisfy { (0.65...0.95).contains($0.acceptance) })
    #expect(levels.allSatisfy { $0.moves < 10 && $0.correlation < 0.5 })
  }

  // Chains started at random would give each mode a half. Seen to fail: a temperature left out of the weights
  // or of the evidence; a ladder of one step.
  @Test("two modes ten deviations apart keep their weights")
  func modes() throws {
    let problem = try run(
      TwoBumps.density, particles: 1024, deviation: TwoBumps.priorVariance.squareRoot()
    ).problems[0]
    let first = problem.draws.coordinate(0)
    let left = Double(first.joined().count { $0 < 0 }) / 4096
    #expect(abs(left - 0.2) < 0.03, "\(left)")
    #expect(abs(problem.logEvidence - TwoBumps.logEvidence) < 0.1)
    for (side, sign) in [
      (first.joined().filter { $0 < 0 }, -1.0), (first.joined().filter { $0 > 0 }, 1),
    ] {
      let mean = side.reduce(0, +) / Double(side.count)
      let squares = side.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(side.count)
      // Four errors of the mean; five of the variance, √(2/n).
      let n = Double(side.count)
      #expect(abs(mean - sign * TwoBumps.mode) < 4 * (TwoBumps.variance / n).squareRoot())
      #expect(abs(squares / TwoBumps.variance - 1) < 5 * (2 / n).squareRoot())
    }
    #expect((100..<2000).contains(problem.ancestralSampleSize))
  }

  // A likelihood of 1 for x > 0 and 0 elsewhere: log Z = −log 2, E x = √(2/π). Seen to fail: a path that
  // ends without density accepted; particles without likelihood that keep a weight.
  @Test("particles without likelihood die, paths that end in such places are rejected")
  func wall() throws {
    let likelihood = FunctionTarget(dimension: 2) { _, x, gradient in
      for k in x.indices { gradient[k] = 0 }
      return x[0] < 0 ? -.infinity : 0
    }
    let density = TemperedTarget(prior: normalPrior(dimension: 2), likelihood: likelihood)
    let problem = try run(density, particles: 1024).problems[0]
    #expect(problem.draws.positions.allSatisfy { $0.isFinite })
    #expect(problem.draws.coordinate(0).joined().allSatisfy { $0 >= 0 })
    expectMean(problem.draws.coordinate(0), (2 / Double.pi).squareRoot(), floor: 500)
    expectMean(problem.draws.coordinate(1), 0, floor: 500)
    // 4,096 coin tosses: relative error 1/64.
    #expect(abs(problem.logEvidence + log(2)) < 4.0 / 64)
  }

  @Test("an island that no draw fits is an error that names it")
  func misfit() {
    let density = TemperedTarget(
      prior: normalPrior(dimension: 1),
      likelihood: FunctionTarget(dimension: 1) { _, _, _ in .nan })
    #expect(throws: SamplingError.startNotFinite(problem: 0, chain: 0)) { try run(density) }
  }

  // Three problems whose data differ. Seen to fail: keys from the place in the batch.
  @Test("draws are the same bits for any threads and any company")
  func reproducible() throws {
    let noise = GaussianTarget(mean: [1, 2], covariance: [0.1, 0.05, 0.05, 0.2])
    let density = TemperedTarget(
      prior: normalPrior(dimension: 2), likelihood: noise.density(problems: 3, shift: -1))
    let options = SequentialMonteCarloOptions(lanesPerBlock: 12)
    let reference = try run(
      density, particles: 25, problems: [0, 1, 2], options: options, threads: 1)
    for threads in [2, 3] {
      let other = try run(
        density, particles: 25, problems: [0, 1, 2], options: options, threads: threads)
      for (a, b) in zip(reference.problems, other.problems) {
        #expect(a.draws == b.draws && a.levels == b.levels)
        #expect(a.islandLogEvidences == b.islandLogEvidences)
      }
    }
    let alone = try run(density, particles: 25, problems: [2], options: options)
    #expect(alone.problems[0].draws == reference.problems[2].draws)
    #expect(reference.problems[0].draws != reference.problems[1].draws)
    let other = try run(density, particles: 25, problems: [2], options: options, seed: 42)
    #expect(alone.problems[0].draws != other.problems[0].draws)
  }

  // Seen to fail: the start's evaluation not counted; a move's steps counted wrongly.
  @Test("gradients are counted, log densities belong to their draws")
  func gradients() throws {
    let target = linearGaussian(3)
    let result = try run(target.density, particles: 32)
    let problem = result.problems[0]
    #expect(result.gradients == 128 * (1 + problem.levels.reduce(0) { $0 + $1.steps }))
    let posterior = try #require(target.density.tempered(1) as? FunctionTarget)
    var gradient = [0.0, 0, 0]
    for draw in 0..<32 {
      let expected = posterior.function(
        0, Array(problem.draws.position(chain: 3, draw: draw)), &gradient)
      #expect(abs(problem.draws.logDensities[96 + draw] - expected) < 1e-9)
    }
  }

  @Test("one island has an evidence and no error")
  func single() throws {
    let target = linearGaussian(3)
    let problem = try run(target.density, islands: 1, particles: 1024).problems[0]
    #expect(problem.logEvidenceError == nil)
    #expect(abs(problem.logEvidence - target.logEvidence) < 0.4)
  }

  // By hand: evidences 1 and 3 have the mean 2, relative values ½ and 1½, whose mean's error is ½; the
  // logarithms' is ½ ln 3.
  @Test("the islands' mean evidence and its error")
  func error() throws {
    let draws = DrawSet(
      chains: 2, draws: 1, dimension: 1, positions: [0, 0], logDensities: [0, 0])
    let result = ParticleRun(
      draws: draws, islandLogEvidences: [-700, -700 + log(3)], levels: [], ancestralSampleSize: 1)
    #expect(abs(result.logEvidence - (log(2) - 700)) < 1e-12)
    let error = try #require(result.logEvidenceError)
    #expect(abs(error - 0.5 * log(3)) < 1e-12)
  }

  @Test("a run that is told to stop throws")
  func cancel() {
    let target = linearGaussian(40)
    let key = RandomKey(seed: 1)
    let islands = normalDraws(islands: 2, particles: 512, dimension: 40, key: key)
    #expect(throws: SamplingError.cancelled) {
      try sampleSequentially(
        target.density, problems: [ParticleProblem(islands: islands, key: key)],
        options: .init(effectiveFraction: 0.99), pool: WorkerPool(threads: 1)
      ) { progress in
        progress.done > progress.total
      }
    }
  }
}
