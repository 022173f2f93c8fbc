import Foundation

extension ReferencePosterior {
  /// Coaching effects in eight schools, non-centered.
  ///
  ///     y_j ~ N(θ_j, σ_j²), θ_j = μ + τ t_j, t_j ~ N(0, 1), μ ~ N(0, 5²), τ ~ Cauchy⁺(0, 5)
  ///     position: t_1 … t_8, μ, ln τ;  Jacobian τ
  ///
  /// Source: posteriordb, eight_schools-eight_schools_noncentered: data, model, and reference means and
  /// their Monte Carlo errors (10 chains × 1,000 draws); deviations from its reference draws.
  static let eightSchools: ReferencePosterior = {
    let y: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]
    let sigma: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]
    let density = FunctionTarget(dimension: 10) { _, q, gradient in
      let (mu, tau) = (q[8], exp(q[9]))
      let s = tau / 5
      var value = -0.5 * mu * mu / 25 - log1p(s * s) + q[9]
      gradient[8] = -mu / 25
      gradient[9] = 1 - 2 * s * s / (1 + s * s)
      for j in 0..<8 {
        let residual = (y[j] - mu - tau * q[j]) / sigma[j]
        value -= 0.5 * (q[j] * q[j] + residual * residual)
        gradient[j] = -q[j] + residual / sigma[j] * tau
        gradient[8] += residual / sigma[j]
        gradient[9] += residual / sigma[j] * tau * q[j]
      }
      return value
    }
    return ReferencePosterior(
      name: "eight schools", density: density,
      start: [Double](repeating: 0, count: 8) + [4, 1],
      quantities: { q in (0..<8).map { q[8] + exp(q[9]) * q[$0] } + [q[8], exp(q[9])] },
      references: [
        .init("theta 1", 6.15050229, error: 0.0557375, deviation: 5.61586),
        .init("theta 2", 4.93958114, error: 0.0462294, deviation: 4.64558),
        .init("theta 3", 3.90590609, error: 0.0542314, deviation: 5.28071),
        .init("theta 4", 4.79601675, error: 0.0474936, deviation: 4.77094),
        .init("theta 5", 3.61443632, error: 0.0461451, deviation: 4.61472),
        .init("theta 6", 4.05114758, error: 0.0485195, deviation: 4.79625),
        .init("theta 7", 6.31716976, error: 0.0498767, deviation: 5.00286),
        .init("theta 8", 4.88399694, error: 0.0542512, deviation: 5.31769),
        .init("mu", 4.41051834, error: 0.0330375, deviation: 3.3093),
        .init("tau", 3.60205952, error: 0.0318615, deviation: 3.19848),
      ])
  }()
}
