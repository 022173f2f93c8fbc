import Probability
import Workers

/// Positions of one problem of a density.
package struct PointSet: Sendable {
  /// Index among the density's problems.
  package let problem: Int
  /// N × D, row-major.
  package let positions: [Double]

  package init(problem: Int, positions: [Double]) {
    self.problem = problem
    self.positions = positions
  }
}

/// Evaluates the density at every position of every set, many at a time, and hands each result on:
/// which set, which of its positions, and the state there, good until `receive` returns. All on the
/// calling thread, in an order that does not depend on the pool's threads.
///
/// A set's values have the same bits whatever the number of threads, and with the same `lanesPerBlock`
/// whatever other sets there are. Throws `SamplingError.cancelled`, and what `makeEvaluator` throws.
/// - Precondition: whole positions of the density's dimension.
package func evaluate(
  _ density: any LogDensity, at sets: [PointSet], lanesPerBlock: Int? = nil, pool: WorkerPool,
  progress: ((Progress) -> Bool)? = nil,
  receive: @escaping (_ set: Int, _ index: Int, _ state: ChainState) -> Void
) throws {
  let dimension = density.dimension
  precondition(sets.allSatisfy { $0.positions.count.isMultiple(of: dimension) })
  let counts = sets.map { $0.positions.count / dimension }
  let total = counts.reduce(0, +)
  // Enough lanes to fill the largest blocks on every processor of the machine (not of the pool).
  let wanted = (32 * WorkerPool.installedProcessors + sets.count - 1) / max(1, sets.count)
  let lanes = counts.map { min($0, wanted) }
  let places = sets.indices.flatMap { set in (0..<lanes[set]).map { (set: set, first: $0) } }
  guard !places.isEmpty else { return }
  let batch = try LaneBatch(
    density: density, problems: places.map { sets[$0.set].problem },
    lanesPerBlock: lanesPerBlock ?? LaneBatch.lanesPerBlock(lanes), pool: pool)
  let receiver = Receiver(receive)
  var monitor = ProgressMonitor(report: progress)
  batch.run(keepGoing: {
    monitor.keepGoing {
      Progress(
        done: receiver.count, total: total, divergences: 0, gradients: batch.requestedGradients)
    }
  }) { lane in
    let place = places[lane.index]
    let state = ChainState(position: [Double](repeating: 0, count: dimension))
    for index in stride(from: place.first, to: counts[place.set], by: lanes[place.set]) {
      let start = index * dimension
      for i in 0..<dimension { state.position[i] = sets[place.set].positions[start + i] }
      await lane.evaluate(state)
      if lane.isCancelled { return }
      receiver.take(place.set, index, state)
    }
  }
  if monitor.stopped { throw SamplingError.cancelled }
}

/// Where results go. Touched only by the thread that runs the batch.
private final class Receiver: @unchecked Sendable {
  private(set) var count = 0
  private let receive: (Int, Int, ChainState) -> Void

  init(_ receive: @escaping (Int, Int, ChainState) -> Void) { self.receive = receive }

  func take(_ set: Int, _ index: Int, _ state: ChainState) {
    count += 1
    receive(set, index, state)
  }
}
