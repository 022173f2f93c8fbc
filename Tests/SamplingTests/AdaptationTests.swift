import Randomness
import Testing
import Workers

@testable import Sampling

@Suite struct AdaptationTests {
  // Fails when: a window overlaps the next; the last window does not reach the settling phase.
  @Test("windows follow each other and double", arguments: [20, 60, 150, 300, 1000, 5000])
  func schedule(_ length: Int) {
    let schedule = WarmupSchedule(length: length)
    let windows = schedule.windows
    #expect(!windows.isEmpty)
    #expect(windows.last!.upperBound == length - min(50, length * 15 / 100))
    for (a, b) in zip(windows, windows.dropFirst()) {
      #expect(a.upperBound == b.lowerBound && b.count >= 2 * a.count)
    }
    #expect(schedule.endsWindow(windows[0].upperBound - 1))
    #expect(!schedule.collects(windows[0].lowerBound - 1))
  }

  @Test("the shortest warmups adapt the step size only", arguments: [0, 5, 19])
  func short(_ length: Int) {
    #expect(WarmupSchedule(length: length).windows.isEmpty)
  }

  private func moments(_ values: [[Double]], shape: RunningMoments.Shape = .full) -> RunningMoments
  {
    var result = RunningMoments(dimension: values[0].count, shape: shape)
    for value in values { result.add(value) }
    return result
  }

  // By hand: mean (2, 1), scatter of (1,0), (2,3), (3,0).
  @Test("running moments are the textbook's")
  func textbook() {
    let result = moments([[1, 0], [2, 3], [3, 0]])
    #expect(result.mean == [2, 1])
    #expect(zip(result.scatter, [2.0, 0, 0, 6]).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(moments([[1, 0], [2, 3], [3, 0]], shape: .diagonal).scatter[1] == 6)
  }

  // Fails when: the shifts between chains are left out.
  @Test("chains that agree are pooled about the grand mean")
  func agree() {
    var stream = RandomKey(seed: 51).child("pool").stream()
    let draws = (0..<4).map { _ in (0..<50).map { _ in [stream.normal(), 2 * stream.normal()] } }
    let pooled = RunningMoments.pooled(draws.map { moments($0) })
    let whole = moments(draws.flatMap { $0 })
    #expect(pooled.count == 200)
    #expect(zip(pooled.mean, whole.mean).allSatisfy { abs($0 - $1) < 1e-13 })
    #expect(zip(pooled.scatter, whole.scatter).allSatisfy { abs($0 - $1) < 1e-10 })
  }

  // Fails when: chains in different modes are pooled about the grand mean.
  @Test("chains that disagree are pooled within")
  func disagree() {
    var stream = RandomKey(seed: 52).child("pool").stream()
    let draws = (0..<4).map { chain in
      (0..<50).map { _ in [stream.normal() + 10 * Double(chain), stream.normal()] }
    }
    let pooled = RunningMoments.pooled(draws.map { moments($0) })
    #expect(pooled.scatter[0] / 196 < 2)
  }

  // Relative to the truth in its own whitened coordinates: eigenvalues of Σ⁻¹Σ̂ are (1 ± √(D/n))² with
  // n ≈ 8 · 150 draws; squared lengths of the truth's axes within that. Fails when: draws of one chain
  // only are used; the scatter is divided twice.
  @Test("the adapted dense metric is the covariance")
  func dense() throws {
    let target = GaussianTarget.correlated(dimension: 10)
    let run = try runChains(
      target.density(), start: target.mean, kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 50, warmup: 400))
    let adapted = try #require(run.problems[0].metric as? DenseMetric)
    let truth = DenseMetric(covariance: target.covariance, dimension: 10)!
    for axis in 0..<10 {
      let direction = (0..<10).map { truth.choleskyFactor[10 * $0 + axis] }
      #expect(abs(adapted.squaredLength(of: direction) - 1) < 0.35)
    }
    // With it, unit-Gaussian step sizes and short trees.
    #expect(run.problems[0].stepSize > 0.4)
  }

  @Test("a diagonal metric finds the variances")
  func diagonal() throws {
    let target = GaussianTarget(mean: [1, 2], covariance: [100, 0, 0, 1e-4])
    let run = try runChains(
      target.density(), start: target.mean, kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 50, warmup: 400, metricAdaptation: .diagonal))
    let adapted = try #require(run.problems[0].metric as? DiagonalMetric)
    #expect(abs(adapted.variances[0] / 100 - 1) < 0.25)
    #expect(abs(adapted.variances[1] / 1e-4 - 1) < 0.25)
  }

  // Fails when: the given metric is replaced by the unit one.
  @Test("a fixed metric stays, and a good one is used from the first step")
  func fixed() throws {
    let target = GaussianTarget.correlated(dimension: 10)
    let metric = DenseMetric(covariance: target.covariance, dimension: 10)!
    let run = try runChains(
      target.density(), start: target.mean, kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 50, warmup: 100, metricAdaptation: .fixed), metric: metric)
    #expect(run.problems[0].metric as? DenseMetric == metric)
    #expect(run.problems[0].stepsPerDraw < 16)
    #expect(Double(run.warmupGradients) < 8 * 100 * 16)
  }

  @Test("too few draws are no metric")
  func few() {
    #expect(metric(from: moments([[1, 2], [2, 1]])) == nil)
    let constant = Array(repeating: [1.0, 2], count: 50)
    #expect(metric(from: moments(constant)) == nil)
  }

  // Fails when: settling is never found; the steps after it are not run.
  @Test("a warmup that has settled ends early")
  func settles() throws {
    let target = GaussianTarget.correlated(dimension: 10)
    let metric = DenseMetric(covariance: target.covariance, dimension: 10)!
    let run = try runChains(
      target.density(), start: target.mean, kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 50, warmup: 300), metric: metric)
    // Windows end after 70 and 120 of 300 iterations.
    let problem = run.problems[0]
    let chains = problem.draws.chains
    #expect(problem.warmupLength == 120 + max(20, 320 / chains))
    #expect(abs(problem.acceptance - 0.8) < 0.15)
    #expect(problem.draws.draws == 50)
  }

  // Fails when: the metric is one window's; windows of other covariance, of a step size more than half
  // as large again, or of chains that are apart, pass for the same.
  @Test("the metric of two windows that agree is that of their draws together")
  func joint() throws {
    var stream = RandomKey(seed: 55).child("windows").stream()
    /// Two chains of forty draws, the means `apart` from one another.
    func window(_ deviation: Double, apart: Double = 0) -> [[[Double]]] {
      [0, apart].map { shift in
        (0..<40).map { _ in [stream.normal() + shift, deviation * stream.normal()] }
      }
    }
    let (first, second, wide) = (window(1), window(1), window(30))
    let strangers = window(1, apart: 1)
    for (windows, steps, settles) in [
      ([first, second], [0.5, 0.6], true), ([first, wide], [0.5, 0.6], false),
      ([first, second], [0.5, 0.9], false), ([first, second], [0.9, 0.5], false),
      ([first, strangers], [0.5, 0.6], false),
    ] {
      let adaptation = ProblemAdaptation(
        problem: SamplingProblem(starts: [[0, 0], [0, 0]], key: RandomKey(seed: 1)),
        adaptation: .dense)
      let target = GaussianTarget(mean: [0, 0], covariance: [1, 0, 0, 1])
      try LaneBatch(
        density: target.density(), problems: [0, 0], lanesPerBlock: 2, pool: WorkerPool(threads: 1)
      ).run { lane in
        for (window, step) in zip(windows, steps) {
          for draw in window[lane.index] { adaptation.collect(draw, chain: lane.index) }
          await adaptation.meet(lane: lane, chain: lane.index, stepSize: step, endsWindow: true)
        }
      }
      #expect(adaptation.hasSettled == settles)
      let pooled = windows.map { window in RunningMoments.pooled(window.map { moments($0) }) }
      let expected = settles ? RunningMoments.pooled(pooled) : pooled[1]
      #expect(adaptation.metric as? DenseMetric == Sampling.metric(from: expected) as? DenseMetric)
    }
  }

  // Fails when: the covariances are not compared.
  @Test("covariances that differ by more than draws may are told apart")
  func unsettled() {
    var stream = RandomKey(seed: 53).child("windows").stream()
    func window(_ count: Int, _ deviation: Double) -> RunningMoments {
      moments(
        (0..<count).map { _ in [stream.normal(), deviation * stream.normal(), stream.normal()] })
    }
    #expect(window(200, 1).resembles(window(100, 1)))
    #expect(!window(200, 1).resembles(window(100, 10)))
    #expect(!window(200, 0.1).resembles(window(100, 1)))
    // Too few draws say nothing, nor does a direction without any spread.
    #expect(!window(8, 1).resembles(window(200, 1)))
    #expect(!window(200, 1).resembles(window(200, 0)))
  }

  @Test("variances alone are compared one by one")
  func unsettledVariances() {
    var stream = RandomKey(seed: 54).child("windows").stream()
    func window(_ count: Int, _ deviation: Double) -> RunningMoments {
      moments(
        (0..<count).map { _ in [stream.normal(), deviation * stream.normal()] }, shape: .diagonal)
    }
    #expect(window(100, 1).resembles(window(100, 1)))
    #expect(!window(100, 1).resembles(window(100, 5)))
  }
}
