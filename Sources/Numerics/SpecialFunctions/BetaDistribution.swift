import Foundation

/// The regularized incomplete beta function I_x(a, b), by its continued fraction.
///
/// Source: NIST Digital Library of Mathematical Functions, 8.17.22, evaluated from the front by the
/// modified Lentz algorithm; 8.17.4 (I_x(a, b) = 1 − I_{1−x}(b, a)) picks the side that converges fast.
func regularizedBeta(_ x: Double, a: Double, b: Double) -> Double {
  if x <= 0 { return 0 }
  if x >= 1 { return 1 }
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, a: b, b: a) }
  let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
  let tiny = 1e-300
  var numerator = 1.0
  var denominator = 1 / (1 - (a + b) * x / (a + 1))
  var fraction = denominator
  for m in 1...10_000 {
    let k = Double(m)
    for coefficient in [
      k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
      -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1)),
    ] {
      denominator = 1 + coefficient * denominator
      denominator = 1 / (abs(denominator) < tiny ? tiny : denominator)
      numerator = 1 + coefficient / numerator
      if abs(numerator) < tiny { numerator = tiny }
      fraction *= numerator * denominator
    }
    if abs(numerator * denominator - 1) < 1e-15 { break }
  }
  return exp(logFront) * fraction / a
}

/// The x with I_x(a, b) = p, by bisection to the last bit or 200 halvings.
package func betaQuantile(_ p: Double, a: Double, b: Double) -> Double {
  var low = 0.0
  var high = 1.0
  for _ in 0..<200 {
    let middle = low + (high - low) / 2
    if middle == low || middle == high { break }
    if regularizedBeta(middle, a: a, b: b) < p { low = middle } else { high = middle }
  }
  return high
}
