import Foundation

/// Nesterov's dual averaging of the log step size towards a target acceptance.
///
/// Source: Hoffman and Gelman, "The No-U-Turn sampler", 2014, eq. 6 and algorithm 5, with their
/// constants γ = 0.05, t₀ = 10, κ = 0.75.
package struct DualAveraging {
  /// x, the step size to try next.
  package private(set) var stepSize: Double
  private let target: Double
  private var center: Double
  private var errorMean = 0.0
  private var averagedLog = 0.0
  private var updates = 0.0

  private static let shrinkage = 0.05
  private static let delay = 10.0
  private static let forgetting = 0.75

  /// - Precondition: `stepSize` > 0 and finite, 0 < `target` < 1.
  package init(stepSize: Double, target: Double) {
    precondition(stepSize > 0 && stepSize.isFinite && 0 < target && target < 1)
    self.stepSize = stepSize
    self.target = target
    center = log(10 * stepSize)
  }

  /// Begins anew around a step size that is already about right: the center is twice it, where the
  /// source, knowing nothing, takes ten times.
  package mutating func restart(around stepSize: Double) {
    precondition(stepSize > 0 && stepSize.isFinite)
    self.stepSize = stepSize
    center = log(2 * stepSize)
    errorMean = 0
    averagedLog = 0
    updates = 0
  }

  /// Learns from one transition's mean acceptance probability.
  package mutating func update(acceptance: Double) {
    updates += 1
    let weight = 1 / (updates + Self.delay)
    errorMean += weight * (target - acceptance - errorMean)
    let logStep = center - updates.squareRoot() / Self.shrinkage * errorMean
    let decay = pow(updates, -Self.forgetting)
    averagedLog += decay * (logStep - averagedLog)
    // Keeps a chain stuck at density zero from underflowing its step to 0.
    stepSize = exp(min(max(logStep, -80), 80))
  }

  /// exp x̄, the averaged iterate: the step size to keep. Before any update, the current one.
  package var averagedStepSize: Double {
    updates == 0 ? stepSize : exp(min(max(averagedLog, -80), 80))
  }
}
