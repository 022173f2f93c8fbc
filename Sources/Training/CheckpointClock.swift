/// When the next checkpoint is due. Epochs of large models take hours, and of few pictures hundreds of epochs take
/// a minute.
package struct CheckpointClock {
  /// Seconds between two of them.
  package var interval = 120.0
  private var latest = ContinuousClock.now

  var isDue: Bool { (ContinuousClock.now - latest).inSeconds >= interval }

  /// Whether one is due at the end of an epoch: of a stage's first one it always is.
  func isDue(afterEpoch epoch: Int) -> Bool { epoch == 1 || isDue }

  mutating func restart() { latest = .now }
}
