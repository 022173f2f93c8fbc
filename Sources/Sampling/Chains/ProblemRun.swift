import Numerics
import Probability

/// The draws of one problem and how they were come by.
public struct ProblemRun: Sendable {
  public let draws: DrawSet
  /// Chains × draws.
  public let records: [[TransitionRecord]]
  /// The step size and metric that all kept draws were made with.
  public let stepSize: Double
  public let metric: any Metric
  /// Iterations of the warmup: fewer than asked for when step size and metric had settled before.
  public let warmupLength: Int
  /// Divergences before the first kept draw; they do no harm.
  public let warmupDivergences: Int
  /// Jumps between modes among the kept draws, all chains.
  public let jumps: JumpCounts

  /// Divergent transitions among the kept draws.
  public var divergences: Int {
    records.reduce(0) { $0 + $1.count(where: \.isDivergent) }
  }

  /// Energies (nats), chains × draws: for E-BFMI.
  public var energies: [[Double]] { records.map { $0.map(\.energy) } }

  /// Mean acceptance statistic of the kept draws.
  public var acceptance: Double {
    let all = records.joined()
    return all.reduce(0) { $0 + $1.acceptance } / Double(max(1, all.count))
  }

  /// Mean number of leapfrog steps of the kept draws.
  public var stepsPerDraw: Double {
    let all = records.joined()
    return Double(all.reduce(0) { $0 + $1.steps }) / Double(max(1, all.count))
  }
}

/// A run of several problems in one batch.
public struct SamplingRun: Sendable {
  /// In the order asked for.
  public let problems: [ProblemRun]
  /// Gradients that chains asked for, all problems, warmup included.
  public let gradients: Int
  /// Those of them before the first kept draws.
  public let warmupGradients: Int
  /// Gradients asked for / gradients computed, in 0…1.
  public let laneUtilization: Double
  /// Wall time until the last chain left its warmup, and from there on.
  public let warmupSeconds: Double
  public let samplingSeconds: Double
}
