import Foundation

/// What the chains of one problem share while they adapt: metric and step size. Touched only by the
/// thread that runs the batch.
///
/// Each chain runs its own dual averaging; where a window ends all chains of the problem meet. The
/// metric is then estimated from the draws of all, and every chain goes on from the harmonic mean of
/// the chains' averaged step sizes (the one whose number of steps is the mean of theirs, so that a
/// chain in a narrow place pulls more than one in a wide place). All is done in the order of chains, so
/// results depend neither on threads nor on other problems in the batch.
///
/// Adaptation has settled once two windows in a row say the same: their covariances differ by no more
/// than those of draws of one distribution may, and the step sizes that chains came to in them (under
/// different metrics) by at most a factor 1.5; and once the chains agree in the second of them. Chains
/// that have not met yet still have to find out how wide the posterior is. The metric is then that of
/// the draws of both windows.
final class ProblemAdaptation: @unchecked Sendable {
  /// R̂ of a window's draws up to which its chains agree. Chains that mix within a few iterations have
  /// 1.02 after fifty draws.
  private static let largestScaleReduction = 1.05

  private(set) var metric: any Metric
  private(set) var stepSize = 1.0
  private let hasInitialMetric: Bool
  private let adaptation: MetricAdaptation
  private let chainCount: Int
  private var stepSizes: [Double]
  private var moments: [RunningMoments]
  /// The window before the latest one: its draws, and the step size that the chains came to in it.
  private var earlier: (moments: RunningMoments, stepSize: Double)?
  private(set) var hasSettled = false
  private var arrived = 0
  private var waiting: [Lane] = []

  init(problem: SamplingProblem, adaptation: MetricAdaptation) {
    let dimension = problem.starts[0].count
    metric = problem.initialMetric ?? DiagonalMetric(dimension: dimension)
    hasInitialMetric = problem.initialMetric != nil
    self.adaptation = adaptation
    chainCount = problem.starts.count
    stepSizes = [Double](repeating: 1, count: chainCount)
    moments =
      adaptation.shape.map { shape in
        problem.starts.map { _ in RunningMoments(dimension: dimension, shape: shape) }
      } ?? []
  }

  /// Adds a draw of a window.
  func collect(_ position: [Double], chain: Int) {
    if !moments.isEmpty { moments[chain].add(position) }
  }

  /// Waits until all chains of the problem are here with their step sizes; then `stepSize`, and the
  /// metric where `endsWindow`, are those that all share.
  func meet(lane: Lane, chain: Int, stepSize: Double, endsWindow: Bool) async {
    stepSizes[chain] = stepSize
    arrived += 1
    guard arrived == chainCount else {
      waiting.append(lane)
      return await lane.wait()
    }
    self.stepSize = Double(chainCount) / stepSizes.reduce(0) { $0 + 1 / $1 }
    if endsWindow { adaptMetric() }
    arrived = 0
    for lane in waiting { lane.resume() }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Draws too few for a metric stay for the next window.
  private func adaptMetric() {
    guard !moments.isEmpty else { return }
    let pooled = RunningMoments.pooled(moments)
    if let adapted = Sampling.metric(from: pooled) {
      if let earlier, settles(pooled, after: earlier),
        let joint = Sampling.metric(from: .pooled([earlier.moments, pooled]))
      {
        metric = joint
        hasSettled = true
      } else {
        metric = adapted
      }
      earlier = (pooled, stepSize)
      for chain in moments.indices { moments[chain].reset() }
    } else if !hasInitialMetric, let variances = Sampling.metric(from: pooled.diagonal) {
      metric = variances
    }
  }

  private func settles(
    _ latest: RunningMoments, after earlier: (moments: RunningMoments, stepSize: Double)
  ) -> Bool {
    abs(log(stepSize / earlier.stepSize)) <= log(1.5) && latest.resembles(earlier.moments)
      && RunningMoments.potentialScaleReduction(moments) <= Self.largestScaleReduction
  }
}
