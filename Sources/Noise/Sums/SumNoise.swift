import Maps

/// The sum of independent noises, N = Σ_j N_j: independent variances, stationary noises under masks,
/// and what the decoder cannot paint, A Σ Aᵀ.
///
/// Dense up to 4,096 data, which costs D³/3 once and for a residual of P elements D²P more; else by
/// conjugate gradients (`ConjugateGradientPlan`), whose preconditioner knows the neighbours of a datum
/// on the grid of the first stationary part, and of the residual its variances and its directions.
public struct SumNoise: NoiseModel {
  private let solution: NoiseSolution
  public let dimension: Int
  /// How N⁻¹r is computed; never `automatic`.
  public var solver: NoiseSolver { solution.solver }
  /// ln det N, nats.
  public var logDeterminant: Double { solution.logDeterminant.value }
  /// Standard error of `logDeterminant` and twice that of a log density, nats; 0 where it is exact.
  public var logDeterminantError: Double { solution.logDeterminant.error }

  /// - Throws: `unusable` when the parts do not fit together, a variance is negative or not finite,
  ///   the covariance is singular (naming the parts and the datum), or the solver cannot be used (and
  ///   why); `tooLarge` when the dense solver is asked for above 4,096 data; whatever an operator's
  ///   plan throws.
  public init(
    _ parts: [NoisePart], solver: NoiseSolver = .automatic,
    iteration: ConjugateGradients = ConjugateGradients()
  ) throws(PlanError) {
    let parts = try CovarianceParts(parts)
    dimension = parts.dimension
    solution = try NoiseSolution(parts, solver, iteration)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    try solution.makePlan(lanes: lanes)
  }
}
