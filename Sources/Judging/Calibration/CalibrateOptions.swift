import Numerics
import Problems

/// What `calibrate` is asked for.
public struct CalibrateOptions: Sendable, Equatable {
  public enum Part: String, Sendable, CaseIterable {
    /// Truths from the prior: is the sampler right?
    case sampler
    /// Held-out pictures: is the model right?
    case model
    case both
  }

  public var part = Part.both
  /// Simulated truths, and as many held-out pictures.
  public var count = 200
  /// Model, operator, noise, residual, method, space, chains, draws, warmup, seed and threads.
  public var solving: SolveOptions
  public var hole = CorruptOptions.Hole.none
  /// Held-out pictures: as for `evaluate`.
  public var datasets = ["fashion-mnist"]
  /// Stop after the batch in which this much time is over; nil for no limit.
  public var budgetMinutes: Double?
  /// Also find how much wider intervals would have to be on held-out pictures.
  public var isConformal = false
  /// nil: results are printed and not kept, and nothing can be resumed.
  public var output: String?

  /// Draws that ranks are taken among; the chains' draws are thinned to them.
  static let rankedDraws = 99
  /// Drawn pictures that the quantiles of a pixel come from.
  static let drawnPictures = 199
  /// Problems that share one batch of chains.
  package static let batch = 16
  /// σ when none is given.
  static let defaultSigma = 0.1

  public init(threads: Int) {
    solving = SolveOptions(threads: threads)
    (solving.chains, solving.draws, solving.warmup) = (4, 100, 100)
    solving.lanesPerBlock = 32
  }

  /// - Throws: `PipelineError.usage` for the first value that makes no sense.
  package func validate() throws(PipelineError) {
    try solving.validate()
    guard (2...1_000_000).contains(count) else { throw .usage("-n must be 2 to 1000000") }
    guard budgetMinutes.map({ $0 > 0 }) ?? true else {
      throw .usage("--budget must be a positive number of minutes")
    }
    guard solving.method != .map else {
      throw .usage("calibrate needs draws: --method map has none")
    }
    guard solving.chains * solving.draws >= Self.drawnPictures else {
      throw .usage("calibrate needs at least \(Self.drawnPictures) draws in all")
    }
    switch solving.noise.level {
    case .known, .inSpectrum, .none: break
    case .inferred:
      guard solving.noise.sigma == nil else {
        throw .usage("calibrate simulates noise: give --sigma a number, not auto")
      }
    }
  }
}
