/// How much the decoder's residual differs in size from picture to picture: ε ~ N(0, α²Σ) with
/// ln α ~ N(mean, deviation²). Pictures that a decoder paints well have residuals of a third of what is
/// usual, others of three times that.
public struct ResidualScale: Sendable, Equatable {
  /// Of ln α.
  public let mean: Double
  /// Of ln α, positive.
  public let deviation: Double

  /// - Precondition: finite, a positive deviation.
  public init(mean: Double, deviation: Double) {
    precondition(mean.isFinite && deviation > 0 && deviation.isFinite)
    self.mean = mean
    self.deviation = deviation
  }
}
