import Foundation

/// Linear warm-up to `peak`, then half a cosine down to `peak · floor` (Loshchilov and Hutter 2017,
/// eq. 5, one period).
public struct LearningRateSchedule: Sendable, Equatable {
  public var peak: Double
  public var warmupSteps: Int
  public var totalSteps: Int
  /// The last rate as a fraction of the peak.
  public var floor: Double

  public init(peak: Double, warmupSteps: Int, totalSteps: Int, floor: Double = 0.001) {
    precondition(peak > 0 && warmupSteps >= 0 && totalSteps > 0 && floor >= 0)
    self.peak = peak
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
    self.floor = floor
  }

  /// The rate of step 0, 1, ….
  public func rate(at step: Int) -> Double {
    if step < warmupSteps { return peak * Double(step + 1) / Double(warmupSteps) }
    let span = max(totalSteps - warmupSteps, 1)
    let progress = min(Double(step - warmupSteps) / Double(span), 1)
    return peak * (floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress)))
  }
}
