import Inversion
import PAEInversion
import Sampling
import Solving

/// Which metric a run starts from and what its warmup makes of it.
enum Preconditioning: String, CaseIterable {
  /// The Gauss–Newton covariance at the heaviest mode, then dense: what `paeinvert` does.
  case gaussNewtonDense = "Gauss-Newton, dense"
  /// I, then variances.
  case identityDiagonal = "identity, diagonal"
  /// I, then dense.
  case identityDense = "identity, dense"
  /// The Gauss–Newton covariance at the heaviest mode, kept.
  case gaussNewtonFixed = "Gauss-Newton, fixed"

  /// Iterations that dual averaging alone is given, at most.
  static let longestFixedWarmup = 100

  /// - Parameter warmup: iterations; a metric that is kept has no windows to agree, so its warmup would
  ///   never end early, and gets `longestFixedWarmup` at most.
  func options(draws: Int, warmup: Int, targetAcceptance: Double) -> SamplerOptions {
    SamplerOptions(
      draws: draws,
      warmup: self == .gaussNewtonFixed ? min(warmup, Self.longestFixedWarmup) : warmup,
      targetAcceptance: targetAcceptance, metricAdaptation: adaptation)
  }

  /// nil for I.
  func initialMetric(of modes: ModeSet) -> DenseMetric? {
    switch self {
    case .gaussNewtonDense, .gaussNewtonFixed: modes.metric
    case .identityDiagonal, .identityDense: nil
    }
  }

  private var adaptation: MetricAdaptation {
    switch self {
    case .gaussNewtonDense, .identityDense: .dense
    case .identityDiagonal: .diagonal
    case .gaussNewtonFixed: .fixed
    }
  }
}
