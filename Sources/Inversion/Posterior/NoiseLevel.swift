/// The level σ of the white noise of each problem, in intensity.
public enum NoiseLevel: Sendable, Equatable {
  /// Given: one σ for each problem. σ may be 0 where the known variances are positive.
  case known([Double])
  /// Inferred with the picture: ln σ is one more coordinate behind the K base variables, with the
  /// weakly informative prior N(ln estimate, 1²): a factor of e either way is one standard deviation.
  case inferred(estimates: [Double])

  /// Standard deviation of the prior of ln σ.
  public static let priorSpread = 1.0

  var problemCount: Int {
    switch self {
    case .known(let values), .inferred(let values): values.count
    }
  }

  package var isInferred: Bool {
    if case .inferred = self { true } else { false }
  }
}
