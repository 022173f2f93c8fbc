import Likelihoods

/// The decoder's residual as independent elements whose variance depends on what is painted:
/// ε_i ~ N(0, α²h(m_i) + ρ), with α's prior.
public struct IntensityResidual: Sendable, Equatable {
  /// h and ρ.
  public let variance: IntensityVariance
  public let scale: ResidualScale

  public init(variance: IntensityVariance, scale: ResidualScale) {
    self.variance = variance
    self.scale = scale
  }
}
