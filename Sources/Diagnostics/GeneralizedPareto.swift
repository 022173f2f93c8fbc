import Foundation
import Numerics

/// The generalized Pareto distribution of excesses x > 0 over a threshold,
///
///     P(X ≤ x) = 1 − (1 + k x/σ)^(−1/k),   k = 0: 1 − exp(−x/σ)
///
/// with shape k and scale σ (the unit of x). Moments of order ≥ 1/k do not exist.
public struct GeneralizedPareto: Sendable, Equatable {
  /// k.
  public let shape: Double
  /// σ.
  public let scale: Double

  /// - Precondition: `scale` is not negative.
  public init(shape: Double, scale: Double) {
    precondition(!(scale < 0), "a scale is not negative")
    self.shape = shape
    self.scale = scale
  }

  /// The posterior-mean fit of Zhang and Stephens, "A new and efficient estimation method for the
  /// generalized Pareto distribution", Technometrics 2009: a profile likelihood over b = −k/σ on
  /// 30 + √n points, whose b̂ is the weighted mean of the points (their eqs. 3, 5 and 6).
  ///
  /// k̂ is then drawn to ½ with the weight of ten excesses (Vehtari, Simpson, Gelman, Yao and Gabry 2024,
  /// appendix G), which steadies fits of few. O(n^1.5). NaN where excesses are not finite.
  /// - Precondition: at least two excesses, none negative, sorted upwards.
  public init(fitting excesses: [Double]) {
    let n = Double(excesses.count)
    precondition(excesses.count >= 2, "a fit takes two excesses")
    let points = 30 + Int(n.squareRoot())
    let largest = excesses[excesses.count - 1]
    let quartile = excesses[max(0, Int(n / 4 + 0.5) - 1)]
    let grid = (1...points).map { j in
      1 / largest + (1 - (Double(points) / (Double(j) - 0.5)).squareRoot()) / (3 * quartile)
    }
    // ln L(b) up to a constant: n (ln(b/k) + k − 1), with −k for the source's k.
    let profile = grid.map { b in
      let shape = Self.shape(b, excesses)
      return n * (log(-b / shape) - shape - 1)
    }
    let top = profile.max() ?? 0
    let weights = profile.map { exp($0 - top) }
    let total = weights.reduce(0, +)
    let b = zip(grid, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
    let fitted = Self.shape(b, excesses)
    scale = -fitted / b
    shape = (n * fitted + 10 * 0.5) / (n + 10)
  }

  /// k of largest likelihood at that b: the mean of ln(1 − b x).
  private static func shape(_ b: Double, _ excesses: [Double]) -> Double {
    excesses.reduce(0) { $0 + log1p(-b * $1) } / Double(excesses.count)
  }

  /// The x with P(X ≤ x) = p.
  /// - Precondition: 0 ≤ p < 1.
  public func quantile(_ p: Double) -> Double {
    precondition((0..<1).contains(p))
    let exponential = -log1p(-p)
    return abs(shape) < 1e-12 ? scale * exponential : scale * expm1(shape * exponential) / shape
  }
}
