/// Where one start of an optimization ended.
public struct Optimum: Sendable {
  /// D.
  public let position: [Double]
  /// Nats.
  public let logDensity: Double
  /// Euclidean norm of the gradient there.
  public let gradientNorm: Double
  public let end: OptimizationEnd
  /// Accepted steps and evaluations, all stages together.
  public let iterations: Int
  public let evaluations: Int

  public var isConverged: Bool { end == .gradientSmall || end == .objectiveStalled }
}

/// Every way in which an optimization can end.
public enum OptimizationEnd: String, Sendable, CaseIterable {
  /// The gradient is below its tolerance.
  case gradientSmall
  /// The log density rises no more.
  case objectiveStalled
  case iterationLimit
  /// No step along the direction of steepest ascent goes up.
  case lineSearchFailed
  /// The log density is not finite at the start.
  case startNotFinite
}

/// How long to optimize.
public struct OptimizerOptions: Sendable, Equatable {
  /// Pairs that L-BFGS remembers.
  public var memory: Int
  /// Steps at β = 1.
  public var maximumIterations: Int
  /// Steps at each β < 1.
  public var earlyIterations: Int
  /// Inverse temperatures below 1 to go through first, where the density offers them.
  public var earlyInverseTemperatures: [Double]
  /// Converged when ‖∇‖ ≤ this · max(1, ‖∇ at the start‖).
  public var gradientTolerance: Double
  /// Converged when log π rises by at most this · max(1, |log π|) in three steps running.
  public var objectiveTolerance: Double
  /// Relative rounding error of the density's values: 1e-6 suits single precision.
  public var valueNoise: Double
  /// Lanes evaluated by one worker at a time.
  public var lanesPerBlock: Int?

  /// - Precondition: counts above zero, tolerances not negative, inverse temperatures in 0..<1.
  public init(
    memory: Int = 10, maximumIterations: Int = 300, earlyIterations: Int = 20,
    earlyInverseTemperatures: [Double] = [0.2, 0.5], gradientTolerance: Double = 1e-7,
    objectiveTolerance: Double = 1e-9, valueNoise: Double = 1e-6, lanesPerBlock: Int? = nil
  ) {
    precondition(memory >= 1 && maximumIterations >= 1 && earlyIterations >= 1)
    precondition(earlyInverseTemperatures.allSatisfy { (0..<1).contains($0) })
    precondition(gradientTolerance >= 0 && objectiveTolerance >= 0 && valueNoise >= 0)
    precondition(lanesPerBlock.map { $0 >= 1 } ?? true)
    self.memory = memory
    self.maximumIterations = maximumIterations
    self.earlyIterations = earlyIterations
    self.earlyInverseTemperatures = earlyInverseTemperatures
    self.gradientTolerance = gradientTolerance
    self.objectiveTolerance = objectiveTolerance
    self.valueNoise = valueNoise
    self.lanesPerBlock = lanesPerBlock
  }
}
