import Numerics
import Probability
import Workers

/// Maximizes the log density from many starts at once: `starts[problem]` are that problem's, each D
/// numbers; the result has the same shape.
///
/// A `TemperedLogDensity` is first climbed with its likelihood weakened, which lets starts leave
/// places that only fit a part of the data; β = 1 comes last and decides.
/// Throws `SamplingError.cancelled`, and what `makeEvaluator` throws.
package func maximize(
  _ density: any LogDensity, starts: [[[Double]]], options: OptimizerOptions = .init(),
  pool: WorkerPool, progress: ((Progress) -> Bool)? = nil
) throws -> [[Optimum]] {
  precondition(starts.count <= density.problemCount)
  precondition(starts.joined().allSatisfy { $0.count == density.dimension })
  let ascents = starts.map { $0.map { Ascent(start: $0, options: options) } }
  let byLane = Array(ascents.joined())
  guard !byLane.isEmpty else { return ascents.map { _ in [] } }
  var stages: [(density: any LogDensity, iterations: Int)] = []
  if let tempered = density as? any TemperedLogDensity {
    stages = options.earlyInverseTemperatures.map {
      (tempered.tempered($0), options.earlyIterations)
    }
  }
  stages.append((density, options.maximumIterations))
  let problems = starts.indices.flatMap { Array(repeating: $0, count: starts[$0].count) }
  var monitor = ProgressMonitor(report: progress)
  let tally = Tally()
  var gradients = 0
  for stage in stages {
    let batch = try LaneBatch(
      density: stage.density, problems: problems,
      lanesPerBlock: options.lanesPerBlock ?? LaneBatch.lanesPerBlock(starts.map(\.count)),
      pool: pool)
    batch.run(keepGoing: {
      monitor.keepGoing {
        Progress(
          done: tally.transitions, total: byLane.count * stages.count, divergences: 0,
          gradients: gradients + batch.requestedGradients)
      }
    }) { lane in
      await byLane[lane.index].climb(maximumIterations: stage.iterations, lane: lane)
      tally.transitions += 1
    }
    if monitor.stopped { throw SamplingError.cancelled }
    gradients += batch.requestedGradients
  }
  return ascents.map { $0.map(\.optimum) }
}

/// A local maximum that one or more starts ended in.
public struct Mode: Sendable {
  /// D.
  public let position: [Double]
  /// Nats.
  public let logDensity: Double
  /// How many starts ended here.
  public let starts: Int

  package init(position: [Double], logDensity: Double, starts: Int) {
    self.position = position
    self.logDensity = logDensity
    self.starts = starts
  }
}

/// The distinct maxima among `optima`, highest first: one that lies within `distance` of a higher one
/// is the same. Distances are the metric's (standard deviations), Euclidean without one. Starts that
/// ended at density zero are left out.
package func distinctModes(
  _ optima: [Optimum], distance: Double, metric: (any Metric)? = nil
) -> [Mode] {
  precondition(distance >= 0)
  var modes: [Mode] = []
  for optimum in optima.filter(\.logDensity.isFinite).sorted(by: { $0.logDensity > $1.logDensity })
  {
    let same = modes.firstIndex { mode in
      let difference = zip(mode.position, optimum.position).map { $0 - $1 }
      let squared = metric?.squaredLength(of: difference) ?? dot(difference, difference)
      return squared <= distance * distance
    }
    if let same {
      modes[same] = Mode(
        position: modes[same].position, logDensity: modes[same].logDensity,
        starts: modes[same].starts + 1)
    } else {
      modes.append(
        Mode(position: optimum.position, logDensity: optimum.logDensity, starts: 1))
    }
  }
  return modes
}
