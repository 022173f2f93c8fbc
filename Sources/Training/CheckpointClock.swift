/// When the next checkpoint within an epoch is due: epochs of large models take hours.
package struct CheckpointClock {
  /// Seconds between two of them.
  package var interval = 120.0
  private var latest = ContinuousClock.now

  var isDue: Bool { (ContinuousClock.now - latest).inSeconds >= interval }

  mutating func restart() { latest = .now }
}
