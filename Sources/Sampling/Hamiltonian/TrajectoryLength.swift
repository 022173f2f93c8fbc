import Foundation
import Numerics

/// The trajectory length T that the chains of one problem share and learn in warmup. Touched only by
/// the thread that runs the batch.
///
/// Notation, in coordinates whitened by the metric (‖d‖² = dᵀ Σ⁻¹ d):
///
///     x, x'   start and end of a path, p' the momentum at its end, α its acceptance, t its time
///     x̄, x̄'   their means over chains, the latter weighted by α
///     ChEES = ¼ E[(‖x' − x̄'‖² − ‖x − x̄‖²)²]
///     d ChEES/d log T ≈ Σ α t (‖x' − x̄'‖² − ‖x − x̄‖²) ⟨x' − x̄', p'⟩ / Σ α
///
/// log T climbs by Adam with its momentum off; what stays is a mean of the iterates that trusts late
/// ones more. All is done in the order of chains, so results do not depend on threads.
/// Source: Hoffman, Radul and Sountsov 2021, sections 3 and 4: learning rate 0.025, second moment 0.95,
/// weights n^(−½) of the mean. Departures: whitened coordinates; T starts
/// anew with it, from a length that suits a unit Gaussian, not from one step (ChEES has other, lower
/// maxima beyond its first, so a start that is several times too long ends in one of them); chains of
/// different step sizes until these have settled, each with its own t.
final class TrajectoryLength {
  private static let learningRate = 0.025
  private static let forgetting = 0.95
  private static let mostFirstSteps = 32.0

  /// T.
  private(set) var value: Double
  private(set) var hasSettled = false
  private let initial: Double
  private let maximumSteps: Int
  private var paths: [Path?]
  private var waiting: [Lane] = []
  private var arrived = 0
  private var squareMean = 0.0
  private var updates = 0.0
  private var averagedLog: Double
  /// The variances of the metric that T belongs to.
  private var variances: [Double] = []

  private struct Path {
    var start: [Double]
    var end: [Double]
    var momentum: [Double]
    var acceptance: Double
    var steps: Int
    var leapfrog: Leapfrog
    var time: Double { Double(steps) * leapfrog.stepSize }
  }

  init(initial: Double, maximumSteps: Int, chains: Int) {
    value = initial
    self.initial = initial
    averagedLog = log(initial)
    self.maximumSteps = maximumSteps
    paths = [Path?](repeating: nil, count: chains)
  }

  /// Hands in a chain's path of this iteration.
  func collect(
    chain: Int, start: [Double], end: [Double], momentum: [Double], acceptance: Double, steps: Int,
    leapfrog: Leapfrog
  ) {
    paths[chain] = Path(
      start: start, end: end, momentum: momentum, acceptance: acceptance, steps: steps,
      leapfrog: leapfrog)
  }

  /// Waits until all chains of the problem are here with their paths; then T is the next one.
  func meet(lane: Lane) async {
    arrived += 1
    guard arrived == paths.count else {
      waiting.append(lane)
      return await lane.wait()
    }
    climb(paths.compactMap { $0 })
    arrived = 0
    for lane in waiting { lane.resume() }
    waiting.removeAll(keepingCapacity: true)
  }

  /// From here on T is the mean of its iterates.
  func settle() {
    guard !hasSettled else { return }
    hasSettled = true
    value = exp(averagedLog)
  }

  private func climb(_ paths: [Path]) {
    guard let slope = slope(paths) else { return }
    let steps = paths.map(\.leapfrog.stepSize)
    follow(paths[0].leapfrog.metric.variances, stepSize: steps.min()!)
    updates += 1
    squareMean += (1 - Self.forgetting) * (slope * slope - squareMean)
    let unbiased = squareMean / (1 - pow(Self.forgetting, updates))
    // Nothing longer than the paths that steps allow, nothing shorter than a step.
    let range = log(steps.min()!)...log(Double(maximumSteps) * steps.min()!)
    let proposed = log(value) + Self.learningRate * slope / unbiased.squareRoot()
    let next = min(max(proposed, range.lowerBound), range.upperBound)
    value = exp(next)
    averagedLog += (next - averagedLog) / updates.squareRoot()
  }

  /// Starts again where the metric has changed: in its coordinates the target is about as wide as a unit
  /// Gaussian, and the initial length is near the best. Before any adaptation a target may be far
  /// narrower; then `mostFirstSteps` bound the cost.
  private func follow(_ variances: [Double], stepSize: Double) {
    guard variances != self.variances else { return }
    value = self.variances.isEmpty ? min(initial, Self.mostFirstSteps * stepSize) : initial
    averagedLog = log(value)
    (updates, squareMean) = (0, 0)
    self.variances = variances
  }

  /// d ChEES/d log T of these paths; nil where they say nothing.
  private func slope(_ paths: [Path]) -> Double? {
    let total = paths.reduce(0) { $0 + $1.acceptance }
    guard total > 0 else { return nil }
    var startMean = [Double](repeating: 0, count: paths[0].start.count)
    var endMean = startMean
    for path in paths {
      addScaled(1 / Double(paths.count), path.start, to: &startMean)
      if path.acceptance > 0 { addScaled(path.acceptance / total, path.end, to: &endMean) }
    }
    var sum = 0.0
    for path in paths where path.acceptance > 0 {
      var (from, to) = (path.start, path.end)
      addScaled(-1, startMean, to: &from)
      addScaled(-1, endMean, to: &to)
      let metric = path.leapfrog.metric
      let change = metric.squaredLength(of: to) - metric.squaredLength(of: from)
      sum += path.acceptance * path.time * change * dot(to, path.momentum)
    }
    let slope = sum / total
    return slope.isFinite && slope != 0 ? slope : nil
  }
}
