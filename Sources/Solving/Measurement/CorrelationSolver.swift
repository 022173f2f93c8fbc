import Likelihoods

/// How C⁻¹ of data that are not independent is applied, for the report.
public enum CorrelationSolver: Sendable, Equatable {
  /// The data were turned by a dense factorization.
  case dense
  /// Division by the spectrum: the whole grid observed, nothing but stationary noise.
  case fourier
  /// Conjugate gradients that end at this residual, in standard deviations; and the standard error of
  /// ln det C, nats.
  case conjugateGradients(tolerance: Double, logDeterminantError: Double)

  init(_ measurement: CorrelatedMeasurement) {
    switch measurement.noise.solver {
    case .fourier: self = .fourier
    case .dense: self = .dense
    case .conjugateGradients, .automatic:
      self = .conjugateGradients(
        tolerance: measurement.iteration.tolerance,
        logDeterminantError: measurement.noise.logDeterminantError)
    }
  }

  /// Standard error of ln p(y) that comes with it, nats.
  package var logDensityError: Double {
    if case .conjugateGradients(_, let error) = self { 0.5 * error } else { 0 }
  }
}
