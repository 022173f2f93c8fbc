import Maps

/// One of the independent noises that a datum suffers.
public enum NoisePart: Sendable {
  /// Independent data: one variance each, intensity², which may be zero.
  case independent([Double])
  /// Stationary noise at the observed cells.
  case stationary(MaskedSpectrum)
  /// A Σ Aᵀ: what the decoder cannot paint, Σ, as the forward operator A shows it to the data. A is
  /// applied in single precision.
  case residual(ResidualCovariance, through: any LinearOperator)

  var dimension: Int {
    switch self {
    case .independent(let variances): variances.count
    case .stationary(let spectrum): spectrum.dimension
    case .residual(_, let map): map.codomain.count
    }
  }

  var name: String {
    switch self {
    case .independent: "the independent part"
    case .stationary: "the stationary part"
    case .residual: "the decoder residual"
    }
  }
}
