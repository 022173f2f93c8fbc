/// The levels of one lane: the data's variances are σ² + r + α²s.
package struct NoiseLevels: Sendable, Equatable {
  /// σ ≥ 0, intensity.
  package var sigma: Double
  /// α > 0: how much larger than usual the decoder's residual is in this picture.
  package var residualScale: Double

  package init(sigma: Double, residualScale: Double = 1) {
    self.sigma = sigma
    self.residualScale = residualScale
  }
}
