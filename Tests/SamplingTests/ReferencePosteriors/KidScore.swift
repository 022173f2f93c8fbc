import Foundation

extension ReferencePosterior {
  /// Test scores y of 434 children against their mothers' IQ x.
  ///
  ///     y_i ~ N(b₁ + b₂ x_i, σ²), flat in b, σ ~ Cauchy⁺(0, 2.5);  position: b₁, b₂, ln σ;  Jacobian σ
  ///     Σ (y_i − b₁ − b₂ x_i)² = S_yy − 2 b₂ S_xy + b₂² S_xx + n (ȳ − b₁ − b₂ x̄)²
  ///
  /// Source: posteriordb, kidiq-kidscore_momiq: model, reference means and Monte Carlo errors (10 chains
  /// × 1,000 draws), deviations from its reference draws, and the data (Gelman and Hill 2007), from
  /// which the sufficient statistics below were computed; they give the same likelihood.
  static let kidScore: ReferencePosterior = {
    let (n, meanX, meanY) = (434.0, 100.0, 86.79723502304148)
    let (sxx, sxy, syy) = (97424.99999999981, 59426.77265087175, 180386.15668202768)
    let density = FunctionTarget(dimension: 3) { _, q, gradient in
      let (slope, sigma) = (q[1], exp(q[2]))
      let offset = meanY - q[0] - slope * meanX
      let squares = syy - 2 * slope * sxy + slope * slope * sxx + n * offset * offset
      let precision = 1 / (sigma * sigma)
      let s = sigma / 2.5
      gradient[0] = precision * n * offset
      gradient[1] = precision * (sxy - slope * sxx + n * offset * meanX)
      gradient[2] = 1 - n + squares * precision - 2 * s * s / (1 + s * s)
      return q[2] - n * q[2] - 0.5 * squares * precision - log1p(s * s)
    }
    return ReferencePosterior(
      name: "kidscore on mother's IQ", density: density, start: [26, 0.6, 2.9],
      quantities: { [$0[0], $0[1], exp($0[2])] },
      references: [
        .init("beta 1", 25.9165315719, error: 0.0607966629, deviation: 5.9686),
        .init("beta 2", 0.6086284371, error: 0.0005991371, deviation: 0.0589819),
        .init("sigma", 18.2758483814, error: 0.0063172645, deviation: 0.624015),
      ])
  }()
}
