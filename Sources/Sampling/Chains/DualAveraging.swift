import Foundation
import Numerics

/// Nesterov's dual averaging of the log step size towards a target acceptance.
///
/// Source: Hoffman and Gelman, "The No-U-Turn sampler", 2014, eq. 6 and algorithm 5, with their
/// constants γ = 0.05, t₀ = 10, κ = 0.75. Departure: a restart takes γ = 0.2 and the step size known so
/// far as the center, where the source takes ten times a guess. With γ = 0.05 log ε still jumps by about
/// one after 25 iterations, and since acceptance is concave in log ε the average of such jumps is too
/// small a step (measured: acceptance 0.88 for a target of 0.8 after 50 iterations).
package struct DualAveraging {
  /// x, the step size to try next.
  package private(set) var stepSize: Double
  private let target: Double
  private var center: Double
  private var errorMean = 0.0
  private var averagedLog = 0.0
  private var updates = 0.0

  private var shrinkage = 0.05
  private static let delay = 10.0
  private static let forgetting = 0.75

  /// - Precondition: `stepSize` > 0 and finite, 0 < `target` < 1.
  package init(stepSize: Double, target: Double) {
    precondition(stepSize > 0 && stepSize.isFinite && 0 < target && target < 1)
    self.stepSize = stepSize
    self.target = target
    center = log(10 * stepSize)
  }

  /// Begins anew around a step size that is already about right.
  package mutating func restart(around stepSize: Double) {
    precondition(stepSize > 0 && stepSize.isFinite)
    self.stepSize = stepSize
    center = log(stepSize)
    shrinkage = 0.2
    errorMean = 0
    averagedLog = 0
    updates = 0
  }

  /// Learns from one transition's mean acceptance probability.
  package mutating func update(acceptance: Double) {
    updates += 1
    let weight = 1 / (updates + Self.delay)
    errorMean += weight * (target - acceptance - errorMean)
    let logStep = center - updates.squareRoot() / shrinkage * errorMean
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
