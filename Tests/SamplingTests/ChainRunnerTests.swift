import Foundation
import Probability
import Randomness
import Synchronization
import Testing
import Workers

@testable import Numerics
@testable import Sampling

private let target = GaussianTarget.correlated(dimension: 5)
private let quick = SamplerOptions(draws: 60, warmup: 60)

/// Problem `index` of a density whose problems differ, with its own key.
private func problem(_ index: Int, chains: Int = 3) -> SamplingProblem {
  let key = RandomKey(seed: 31).child("problem").child(index)
  return SamplingProblem(
    index: index,
    starts: (0..<chains).map { chain in
      var stream = key.child("start").child(chain).stream()
      return target.mean.map { $0 + Double(index) + 0.1 * stream.normal() }
    }, key: key)
}

private func run(
  _ indices: [Int], kernel: Int = 0, threads: Int = 2, options: SamplerOptions = quick
)
  throws -> SamplingRun
{
  try sample(
    target.density(problems: 5, shift: 1), problems: indices.map { problem($0) },
    kernel: kernels[kernel], options: options, pool: WorkerPool(threads: threads))
}

@Suite struct ChainRunnerTests {
  // Fails when: anything is summed in the order in which threads finish.
  @Test("draws are the same bits for 1, 2 and 3 threads", arguments: kernels.indices)
  func threads(_ kernel: Int) throws {
    let reference = try run([0, 1, 2], kernel: kernel, threads: 1)
    for threads in [2, 3] {
      let other = try run([0, 1, 2], kernel: kernel, threads: threads)
      for (a, b) in zip(reference.problems, other.problems) {
        #expect(a.draws == b.draws)
        #expect(a.records == b.records)
      }
    }
  }

  @Test("draws do not depend on the size of blocks")
  func blocks() throws {
    var options = quick
    options.lanesPerBlock = 2
    #expect(
      try run([0, 1], options: options).problems[1].draws == run([0, 1]).problems[1].draws)
  }

  // Fails when: keys come from the place in the batch; step sizes are shared between problems.
  @Test("a problem's draws do not depend on the others in its batch", arguments: kernels.indices)
  func company(_ kernel: Int) throws {
    let alone = try run([3], kernel: kernel)
    let together = try run([0, 4, 3, 1], kernel: kernel)
    #expect(alone.problems[0].draws == together.problems[2].draws)
    #expect(alone.problems[0].stepSize == together.problems[2].stepSize)
  }

  @Test("chains of one problem differ, and so do seeds")
  func differ() throws {
    let draws = try run([0]).problems[0].draws
    #expect(draws.position(chain: 0, draw: 5) != draws.position(chain: 1, draw: 5))
    let a = try runChains(target.density(), start: target.mean, kernel: kernels[0], options: quick)
    let b = try runChains(
      target.density(), start: target.mean, kernel: kernels[0], options: quick, seed: 22)
    #expect(a.problems[0].draws != b.problems[0].draws)
  }

  // A counting density of its own: lanes × evaluations must be what utilization implies. Fails when:
  // the starts' or the step size search's gradients are left out.
  @Test("gradients are counted", arguments: kernels.indices)
  func gradients(_ kernel: Int) throws {
    let counter = Counter()
    let density = FunctionTarget(dimension: 1) { _, x, gradient in
      counter.calls.wrappingAdd(1, ordering: .relaxed)
      gradient[0] = -x[0]
      return -0.5 * x[0] * x[0]
    }
    var options = quick
    options.lanesPerBlock = 1
    let result = try sample(
      density, problems: [SamplingProblem(starts: [[0.3]], key: RandomKey(seed: 1))],
      kernel: kernels[kernel], options: options, pool: WorkerPool(threads: 1))
    #expect(result.gradients == counter.calls.load(ordering: .relaxed))
    #expect(result.laneUtilization == 1)
    let sampling = result.problems[0].records.joined().reduce(0) { $0 + $1.steps }
    #expect(result.gradients == result.warmupGradients + sampling)
  }

  @Test("log densities belong to their draws")
  func logDensities() throws {
    let draws = try run([2]).problems[0].draws
    let density = target.density(problems: 5, shift: 1)
    var gradient = [Double](repeating: 0, count: 5)
    for chain in 0..<3 {
      for draw in 0..<60 {
        let expected = density.function(
          2, Array(draws.position(chain: chain, draw: draw)), &gradient)
        #expect(draws.logDensities[chain * 60 + draw] == expected)
      }
    }
  }

  @Test("a start without density is an error that names it")
  func badStart() {
    let density = FunctionTarget(dimension: 1) { _, x, gradient in
      gradient[0] = -1 / x[0]
      return x[0] > 0 ? -log(x[0]) - x[0] : -.infinity
    }
    let bad = SamplingProblem(starts: [[1], [-1]], key: RandomKey(seed: 1))
    #expect(throws: SamplingError.startNotFinite(problem: 0, chain: 1)) {
      try sample(
        density, problems: [bad], kernel: NoUTurnSampler(), options: quick,
        pool: WorkerPool(threads: 1))
    }
  }

  @Test("a run that is told to stop throws")
  func cancel() {
    let endless = SamplerOptions(draws: 50_000_000 / 1000, warmup: 300)
    #expect(throws: SamplingError.cancelled) {
      try sample(
        target.density(), problems: [problem(0)], kernel: NoUTurnSampler(), options: endless,
        pool: WorkerPool(threads: 1)
      ) { progress in
        progress.done < 100
      }
    }
  }
}

private final class Counter: Sendable {
  let calls = Atomic<Int>(0)
}
