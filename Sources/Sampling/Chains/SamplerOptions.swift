import Randomness

/// How much to sample and how to adapt.
public struct SamplerOptions: Sendable, Equatable {
  /// Draws kept per chain.
  public var draws: Int
  /// Adaptive iterations per chain before those, not kept.
  public var warmup: Int
  /// Mean acceptance probability that the step size aims at.
  public var targetAcceptance: Double
  public var metricAdaptation: MetricAdaptation
  /// Lanes evaluated by one worker at a time; sets the speed, nil for a good choice. Draws of another
  /// number of lanes may differ, since a matrix product's last bits depend on its number of rows.
  public var lanesPerBlock: Int?

  /// - Precondition: `draws` ≥ 1, `warmup` ≥ 0, 0 < `targetAcceptance` < 1, `lanesPerBlock` ≥ 1.
  public init(
    draws: Int = 500, warmup: Int = 300, targetAcceptance: Double = 0.8,
    metricAdaptation: MetricAdaptation = .dense, lanesPerBlock: Int? = nil
  ) {
    precondition(draws >= 1, "at least one draw per chain")
    precondition(warmup >= 0, "the warmup cannot be negative")
    precondition(0 < targetAcceptance && targetAcceptance < 1, "an acceptance is in 0…1")
    precondition(lanesPerBlock.map { $0 >= 1 } ?? true, "a block has at least one lane")
    self.draws = draws
    self.warmup = warmup
    self.targetAcceptance = targetAcceptance
    self.metricAdaptation = metricAdaptation
    self.lanesPerBlock = lanesPerBlock
  }
}

/// One problem to sample: its place in the density, where its chains start, its geometry, its luck.
public struct SamplingProblem: Sendable {
  /// Index among the density's problems.
  public let index: Int
  /// Start of each chain, chains × D.
  public let starts: [[Double]]
  /// First guess of the posterior's covariance, such as the inverse Gauss–Newton Hessian at a mode;
  /// nil for the unit metric.
  public let initialMetric: (any Metric)?
  /// Root of this problem's random numbers: its draws depend on it, whatever else shares the batch.
  public let key: RandomKey
  /// Moves between modes, from the second window of the warmup on; nil for none.
  public let jumps: ModeJumps?

  /// - Precondition: at least one start, all of one length, the metric's and the jumps'.
  public init(
    index: Int = 0, starts: [[Double]], initialMetric: (any Metric)? = nil, key: RandomKey,
    jumps: ModeJumps? = nil
  ) {
    precondition(!starts.isEmpty, "a problem needs at least one chain")
    precondition(starts.allSatisfy { $0.count == starts[0].count })
    precondition(initialMetric.map { $0.dimension == starts[0].count } ?? true)
    precondition(jumps.map { $0.mixture.dimension == starts[0].count } ?? true)
    self.index = index
    self.starts = starts
    self.initialMetric = initialMetric
    self.key = key
    self.jumps = jumps
  }
}

/// How far a run has come; asked about ten times a second.
public struct Progress: Sendable {
  /// Transitions done, warmup included, of all chains; for optimization, starts done.
  public let done: Int
  public let total: Int
  /// Divergences after warmup so far.
  public let divergences: Int
  /// Gradients so far.
  public let gradients: Int
}

/// What can go wrong from outside.
public enum SamplingError: Error, Equatable, CustomStringConvertible {
  /// The progress closure said stop.
  case cancelled
  /// The log density is not finite where a chain should start.
  case startNotFinite(problem: Int, chain: Int)

  public var description: String {
    switch self {
    case .cancelled: "sampling was cancelled"
    case .startNotFinite(let problem, let chain):
      "the log density is not finite where chain \(chain) of problem \(problem) starts; "
        + "choose another starting point"
    }
  }
}
