import Foundation

// The standard normal distribution's lower tail in double precision.
//
//   φ(x) = exp(−x²/2)/√(2π)      density
//   Φ(x)                         distribution function
//   h(x) = φ(x)/Φ(x) = d ln Φ/dx  the inverse Mills ratio of the lower tail
//   a = −x ≥ 0 in the tail,  δ = h − a,  e as below

/// ½ ln 2π.
package let halfLogTwoPi = 0.918_938_533_204_672_741_78

/// Below this the continued fraction is used; it then converges to 1e-16 in far fewer than its terms.
private let tailStart = -5.0

/// ln Φ(x), relative error below 1e-13 from x = −1e150 to where Φ(x) rounds to one.
public func logNormalCDF(_ x: Double) -> Double {
  if x < tailStart {
    // Φ(x) = φ(x)/h(x).
    return -0.5 * x * x - halfLogTwoPi - log(inverseMillsRatio(x))
  }
  return x <= 0
    ? log(0.5 * erfc(-x * 0.5.squareRoot())) : log1p(-0.5 * erfc(x * 0.5.squareRoot()))
}

/// h(x) = φ(x)/Φ(x), the derivative of ln Φ; about −x far below zero.
public func inverseMillsRatio(_ x: Double) -> Double {
  if x < tailStart { return -x + millsExcess(-x).excess }
  return exp(-0.5 * x * x - halfLogTwoPi - logNormalCDF(x))
}

/// δ = h(−a) − a and e, for a > 0 large, by Laplace's continued fraction
/// h(−a) = a + 1/(a + 2/(a + 3/(a + …))): δ = 1/(a + e), e = 2/(a + 3/(a + …)).
private func millsExcess(_ a: Double) -> (excess: Double, next: Double) {
  // Backward from term 80: at a = 5 what is left out changes the value by less than 1e-16.
  var next = 0.0
  for term in stride(from: 80.0, through: 2, by: -1) { next = term / (a + next) }
  return (1 / (a + next), next)
}

/// Mean −h(t) and variance 1 − h(t)(h(t) + t) of a standard normal variable known to be below t.
///
/// In the tail, t = −a, both terms of the variance nearly cancel; with h = a + δ and δ = 1/(a + e),
/// 1 − aδ − δ² = e/(a + e) − δ² = δ(e − δ), which does not.
public func lowerTruncatedMoments(_ t: Double) -> (mean: Double, variance: Double) {
  if t < tailStart {
    let (excess, next) = millsExcess(-t)
    return (t - excess, excess * (next - excess))
  }
  let ratio = inverseMillsRatio(t)
  return (-ratio, max(0, 1 - ratio * (ratio + t)))
}
