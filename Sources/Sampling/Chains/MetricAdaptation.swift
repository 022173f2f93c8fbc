/// What warmup learns of the geometry.
public enum MetricAdaptation: String, Sendable, CaseIterable {
  /// The initial metric stays.
  case fixed
  /// Variances only: for very many dimensions.
  case diagonal
  /// The full covariance.
  case dense

  /// What each chain has to gather; nil when nothing.
  var shape: RunningMoments.Shape? {
    switch self {
    case .fixed: nil
    case .diagonal: .diagonal
    case .dense: .full
    }
  }
}

/// The metric that the pooled moments of a window ask for; nil when they are too few, or degenerate,
/// to be better than the metric in use.
///
/// Regularization: (n S + 5 · 10⁻³ diag S)/(n + 5), Stan's with its unit scale replaced by the
/// coordinates' own variances, since a posterior may be narrower than 10⁻³ everywhere. A dense metric
/// asks for n ≥ 3 D draws: the eigenvalues of S then spread by at most (1 ± √(D/n))², a factor that
/// costs little, where stronger shrinkage would blow up just the narrow directions that the data see.
package func metric(from pooled: RunningMoments) -> (any Metric)? {
  let n = Double(pooled.count)
  let dimension = pooled.mean.count
  guard n >= 10 else { return nil }
  let scale = 1 / (n - 1) * (n / (n + 5))
  let ridge = 1 + 5e-3 / n
  let variances = (0..<dimension).map { pooled.scatterDiagonal($0) * scale * ridge }
  guard variances.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
  switch pooled.shape {
  case .diagonal: return DiagonalMetric(variances: variances)
  case .full:
    guard pooled.count >= 3 * dimension else { return nil }
    var covariance = pooled.scatter.map { $0 * scale }
    for i in 0..<dimension { covariance[i * (dimension + 1)] = variances[i] }
    return DenseMetric(covariance: covariance, dimension: dimension)
  }
}
