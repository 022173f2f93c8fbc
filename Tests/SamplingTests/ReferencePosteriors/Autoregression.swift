import Foundation

extension ReferencePosterior {
  /// An autoregression of order 5 on 200 values.
  ///
  ///     y_t ~ N(α + Σ_k β_k y_{t−k}, σ²), t > 5; α, β_k ~ N(0, 10²), σ ~ Cauchy⁺(0, 2.5)
  ///     position: α, β_1 … β_5, ln σ;  Jacobian σ
  ///
  /// Source: posteriordb, arK-arK: data, model, and reference means and their Monte Carlo errors
  /// (10 chains × 1,000 draws); deviations from its reference draws.
  static let autoregression: ReferencePosterior = {
    let y = numbers(autoregressionSeries)
    let density = FunctionTarget(dimension: 7) { _, q, gradient in
      let precision = exp(-2 * q[6])
      let s = exp(q[6]) / 2.5
      var value = q[6] - log1p(s * s)
      for k in 0..<6 {
        value -= 0.5 * q[k] * q[k] / 100
        gradient[k] = -q[k] / 100
      }
      gradient[6] = 1 - 2 * s * s / (1 + s * s)
      for t in 5..<y.count {
        var residual = y[t] - q[0]
        for k in 1...5 { residual -= q[k] * y[t - k] }
        value -= 0.5 * residual * residual * precision + q[6]
        gradient[0] += residual * precision
        for k in 1...5 { gradient[k] += residual * precision * y[t - k] }
        gradient[6] += residual * residual * precision - 1
      }
      return value
    }
    return ReferencePosterior(
      name: "autoregression", density: density, start: [0, 0.5, 0.3, 0.1, 0, -0.2, -2],
      quantities: { $0.dropLast() + [exp($0[6])] },
      references: [
        .init("alpha", -0.00071865, error: 0.00010624, deviation: 0.0107082),
        .init("beta 1", 0.69216328, error: 0.00072205, deviation: 0.0705509),
        .init("beta 2", 0.43904308, error: 0.00090797, deviation: 0.0873098),
        .init("beta 3", 0.10581603, error: 0.00092286, deviation: 0.0930826),
        .init("beta 4", -0.03543504, error: 0.00085413, deviation: 0.0860418),
        .init("beta 5", -0.30151207, error: 0.00069956, deviation: 0.0698831),
        .init("sigma", 0.15056666, error: 0.0000796547, deviation: 0.00777472),
      ])
  }()
}
