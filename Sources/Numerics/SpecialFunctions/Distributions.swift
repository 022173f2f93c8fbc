import Foundation

/// P(χ²_n ≤ x): the regularized lower incomplete gamma function P(n/2, x/2), by its series below the
/// mean and its continued fraction above (Abramowitz and Stegun 6.5.29, 6.5.31); error about 1e-12.
/// - Precondition: `degrees` > 0, `x` ≥ 0.
package func chiSquareProbability(_ x: Double, degrees: Double) -> Double {
  precondition(degrees > 0 && x >= 0)
  let (a, t) = (degrees / 2, x / 2)
  if t == 0 { return 0 }
  let front = exp(a * log(t) - t - lgamma(a))
  if t < a + 1 {
    var (term, sum, n) = (1 / a, 1 / a, a)
    for _ in 0..<10_000 {
      n += 1
      term *= t / n
      sum += term
      if term < sum * 1e-15 { break }
    }
    return min(1, front * sum)
  }
  // Lentz's method for the continued fraction of Q.
  var b = t + 1 - a
  var c = 1e300
  var d = 1 / b
  var h = d
  for i in 1..<10_000 {
    let an = -Double(i) * (Double(i) - a)
    b += 2
    d = 1 / (an * d + b)
    c = b + an / c
    let change = d * c
    h *= change
    if abs(change - 1) < 1e-15 { break }
  }
  return max(0, 1 - front * h)
}
