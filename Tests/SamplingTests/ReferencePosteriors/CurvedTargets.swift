import Foundation

extension ReferencePosterior {
  /// Neal's funnel, reparametrized: v = 3 e_0, x_k = e^(v/2) e_k.
  ///
  ///     v ~ N(0, 3²), x_k | v ~ N(0, e^v), k = 1 … 9;  Jacobian 3 e^(9v/2)
  ///
  /// Exact: E v = 0; E v² = 9, deviation 9 √2; E ln|x_k| = −½ (γ + ln 2), whose variance is
  /// ¼ · 9 + π²/8. Source: Neal, "Slice sampling", 2003, section 8.
  static let funnel = ReferencePosterior(
    name: "funnel, reparametrized",
    density: FunctionTarget(dimension: 10) { _, e, gradient in
      let v = 3 * e[0]
      var value = -v * v / 18 + log(3.0) + 4.5 * v
      var slope = -v / 9 + 4.5
      for k in 1..<10 {
        let x = exp(v / 2) * e[k]
        value -= 0.5 * (v + x * x * exp(-v))
        // ∂x/∂v = x/2.
        slope += -0.5 + 0.5 * x * x * exp(-v) - x * exp(-v) * x / 2
        gradient[k] = -x * exp(-v) * exp(v / 2)
      }
      gradient[0] = 3 * slope
      return value
    },
    start: [Double](repeating: 0.1, count: 10),
    quantities: { e in [3 * e[0], 9 * e[0] * e[0], 1.5 * e[0] + log(abs(e[1]))] },
    references: [
      .init("v", 0, deviation: 3), .init("v²", 9, deviation: 9 * 2.0.squareRoot()),
      .init(
        "ln|x 1|", -0.5 * (0.577_215_664_901_532_9 + log(2)),
        deviation: (2.25 + .pi * .pi / 8).squareRoot()),
    ])

  /// A banana: x ~ N(0, 2²), y | x ~ N((x² − 4)/8, 1). Twice as bent, and trajectories of one length
  /// no longer reach its tips, where the density is stiff, with a step that suits its middle; even so
  /// the steps are to be small.
  ///
  /// Exact: E x = E y = 0, E x² = 4 with deviation 4 √2; with w = (x² − 4)/8, E w² = ½ and
  /// E w⁴ = 60/16, E y² = 1 + ½ and E y⁴ = 60/16 + 6 · ½ + 3.
  static let banana = ReferencePosterior(
    name: "banana",
    density: FunctionTarget(dimension: 2) { _, q, gradient in
      let rest = q[1] - 0.125 * (q[0] * q[0] - 4)
      gradient[0] = -q[0] / 4 + 0.25 * rest * q[0]
      gradient[1] = -rest
      return -q[0] * q[0] / 8 - 0.5 * rest * rest
    },
    start: [0.5, -1],
    quantities: { q in [q[0], q[1], q[0] * q[0], q[1] * q[1]] },
    references: [
      .init("x", 0, deviation: 2), .init("y", 0, deviation: 1.5.squareRoot()),
      .init("x²", 4, deviation: 4 * 2.0.squareRoot()),
      .init("y²", 1.5, deviation: (9.75 - 2.25).squareRoot()),
    ], acceptance: 0.95, draws: 6000)
}
