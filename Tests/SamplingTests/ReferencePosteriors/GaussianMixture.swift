import Foundation

extension ReferencePosterior {
  /// Two Gaussian components, 1,000 values.
  ///
  ///     y_i ~ θ N(μ_1, σ_1²) + (1 − θ) N(μ_2, σ_2²), μ_1 < μ_2;  μ_k, σ_k ~ N(0, 2²), θ ~ Beta(5, 5)
  ///     position: μ_1, ln(μ_2 − μ_1), ln σ_1, ln σ_2, ln(θ/(1 − θ))
  ///     Jacobian (μ_2 − μ_1) σ_1 σ_2 θ (1 − θ)
  ///
  /// Source: posteriordb, low_dim_gauss_mix-low_dim_gauss_mix: data, model, and reference means and
  /// their Monte Carlo errors (10 chains × 1,000 draws); deviations from its reference draws.
  static let gaussianMixture: ReferencePosterior = {
    let y = numbers(gaussianMixtureData)
    return ReferencePosterior(
      name: "Gaussian mixture",
      density: FunctionTarget(dimension: 5) { _, q, gradient in mixture(y, q, &gradient) },
      start: [-2.5, 1.6, 0, 0, 0.4],
      quantities: { q in [q[0], q[0] + exp(q[1]), exp(q[2]), exp(q[3]), 1 / (1 + exp(-q[4]))] },
      references: [
        .init("mu 1", -2.73351447, error: 0.00041644, deviation: 0.042045),
        .init("mu 2", 2.86983189, error: 0.00055964, deviation: 0.0546033),
        .init("sigma 1", 1.02807388, error: 0.00031586, deviation: 0.0314375),
        .init("sigma 2", 1.02382154, error: 0.00041463, deviation: 0.040484),
        .init("theta", 0.62154934, error: 0.00015438, deviation: 0.015481),
      ])
  }()

  private static func mixture(_ y: [Double], _ q: [Double], _ gradient: inout [Double]) -> Double {
    let (gap, theta) = (exp(q[1]), 1 / (1 + exp(-q[4])))
    let (mu1, mu2, sigma1, sigma2) = (q[0], q[0] + gap, exp(q[2]), exp(q[3]))
    var value = -(mu1 * mu1 + mu2 * mu2 + sigma1 * sigma1 + sigma2 * sigma2) / 8
    value += 5 * (log(theta) + log(1 - theta)) + q[1] + q[2] + q[3]
    // Slopes in μ_1, μ_2, ln σ_1, ln σ_2 and ln(θ/(1 − θ)).
    var slopes = [-mu1 / 4, -mu2 / 4, 1 - sigma1 * sigma1 / 4, 1 - sigma2 * sigma2 / 4]
    slopes.append(5 * (1 - 2 * theta))
    // Σ log1p(e^−|d|) as the logarithm of a product of up to 500 factors, each at most 2.
    var product = 1.0
    let (log1, log2) = (log(theta) - q[2], log(1 - theta) - q[3])
    for (index, datum) in y.enumerated() {
      let (z1, z2) = ((datum - mu1) / sigma1, (datum - mu2) / sigma2)
      let (first, second) = (log1 - 0.5 * z1 * z1, log2 - 0.5 * z2 * z2)
      let ratio = exp(-abs(first - second))
      // The first component's share of this datum.
      let share = (first > second ? 1 : ratio) / (1 + ratio)
      value += max(first, second)
      product *= 1 + ratio
      if index % 500 == 499 {
        value += log(product)
        product = 1
      }
      slopes[0] += share * z1 / sigma1
      slopes[1] += (1 - share) * z2 / sigma2
      slopes[2] += share * (z1 * z1 - 1)
      slopes[3] += (1 - share) * (z2 * z2 - 1)
      slopes[4] += share - theta
    }
    value += log(product)
    gradient[0] = slopes[0] + slopes[1]
    gradient[1] = slopes[1] * gap + 1
    for k in 2..<5 { gradient[k] = slopes[k] }
    return value
  }
}
