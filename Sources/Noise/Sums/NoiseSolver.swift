/// How N⁻¹r is computed.
public enum NoiseSolver: String, Sendable, CaseIterable {
  /// Fourier where that is exact, dense up to `DenseNoise.largestDimension` data, else conjugate
  /// gradients.
  case automatic
  /// Division by the spectrum: the whole grid observed, all independent variances equal.
  case fourier
  /// A Cholesky factor.
  case dense
  /// Matrix-free iterations.
  case conjugateGradients
}
