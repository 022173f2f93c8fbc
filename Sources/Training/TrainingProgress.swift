/// How far a training has come.
public struct TrainingProgress: Sendable {
  public enum Stage: String, Sendable {
    case autoencoder
    case flow
    /// Stage 2 of a sliced flow, whose epochs are its layers.
    case slicedFlow
    case classifier
    /// The residual of the held-out pictures, a step of its own.
    case residual
    /// How plausible held-out pictures are, likewise.
    case scores
  }

  public let stage: Stage
  /// From 1.
  public let epoch: Int
  public let epochs: Int
  /// Steps done of this epoch.
  public let step: Int
  public let steps: Int
  /// Stage 1: mean squared error per pixel of the latest batches; stage 2: mean ln p(z) in nats, of a
  /// sliced flow that of all training codes; of a classifier its cross-entropy, nats.
  public let value: Double
  /// Stage 1 of an objective with a divergence: its mean over the latest batches, nats.
  public let divergence: Double?
  /// Pictures or codes a second, over this stage.
  public let itemsPerSecond: Double
  /// Until the end of this stage.
  public let secondsLeft: Double
}

extension TrainingProgress {
  /// A stage without steps begins.
  public init(beginning stage: Stage) {
    self.init(
      stage: stage, epoch: 1, epochs: 1, step: 1, steps: 1, value: 0, divergence: nil,
      itemsPerSecond: 0, secondsLeft: 0)
  }
}

/// Rates and running means for `TrainingProgress`.
final class ProgressMeter {
  private let stage: TrainingProgress.Stage
  private let epochs: Int
  private let firstEpoch: Int
  private let stepsPerEpoch: Int
  private let batch: Int
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var smoothed: Double?
  private var smoothedDivergence: Double?

  init(
    stage: TrainingProgress.Stage, epochs: Int, firstEpoch: Int, stepsPerEpoch: Int, batch: Int
  ) {
    self.stage = stage
    self.epochs = epochs
    self.firstEpoch = firstEpoch
    self.stepsPerEpoch = stepsPerEpoch
    self.batch = batch
    start = clock.now
  }

  func progress(
    epoch: Int, step: Int, value: Double, divergence: Double? = nil
  ) -> TrainingProgress {
    // Moving averages over about fifty batches; a layer is no batch.
    let share = stage == .slicedFlow ? 1 : 1.0 / 50
    smoothed = smoothed.map { $0 + (value - $0) * share } ?? value
    smoothedDivergence = divergence.map { latest in
      smoothedDivergence.map { $0 + (latest - $0) / 50 } ?? latest
    }
    let seconds = max((clock.now - start).inSeconds, 1e-9)
    let done = (epoch - firstEpoch) * stepsPerEpoch + step
    let left = (epochs - firstEpoch) * stepsPerEpoch - done
    return TrainingProgress(
      stage: stage, epoch: epoch + 1, epochs: epochs, step: step, steps: stepsPerEpoch,
      value: smoothed ?? value, divergence: smoothedDivergence,
      itemsPerSecond: Double(done * batch) / seconds,
      secondsLeft: Double(left) * seconds / Double(max(done, 1)))
  }
}
