import Foundation

/// The mixture of Gaussians of one coordinate of a `maskedMixture`, in Double.
struct ReferenceMixture {
  /// ln w, μ, ln s of each component.
  private(set) var components: [(logWeight: Double, mean: Double, logScale: Double)] = []

  /// θ of the coordinate from each network, 3·M numbers.
  init(_ theta: [[Double]]) {
    for own in theta {
      let count = own.count / 3
      let largest = own[..<count].max() ?? 0
      let logTotal = largest + log(own[..<count].reduce(0) { $0 + exp($1 - largest) })
      for m in 0..<count {
        components.append(
          (
            own[m] - logTotal - log(Double(theta.count)), own[count + m],
            3 * tanh(own[2 * count + m] / 3)
          ))
      }
    }
  }

  /// y = Φ⁻¹(F(x)) and ℓ = ln p(x) − ln φ(y).
  func normalized(_ x: Double) -> (y: Double, logSlope: Double) {
    let density = logSum {
      let t = (x - $0.mean) * exp(-$0.logScale)
      return $0.logWeight - $0.logScale - 0.5 * t * t - 0.5 * log(2 * Double.pi)
    }
    let (lower, upper) = (
      logSum { $0.logWeight + logTail(-(x - $0.mean) * exp(-$0.logScale)) },
      logSum { $0.logWeight + logTail((x - $0.mean) * exp(-$0.logScale)) }
    )
    let a = quantile(min(lower, upper))
    let y = upper < lower ? a : -a
    return (y, density + 0.5 * y * y + 0.5 * log(2 * Double.pi))
  }

  private func logSum(
    _ value: ((logWeight: Double, mean: Double, logScale: Double)) -> Double
  ) -> Double {
    let values = components.map(value)
    let largest = values.max() ?? 0
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }
}

/// ln Q(a) = ln(½ erfc(a/√2)); beyond 25 by the continued fraction Q(a) = φ(a)/(a + 1/(a + 2/(a + …))).
func logTail(_ a: Double) -> Double {
  if a < 25 { return log(0.5 * erfc(a / 2.0.squareRoot())) }
  var fraction = a
  for term in (1...60).reversed() { fraction = a + Double(term) / fraction }
  return -0.5 * a * a - 0.5 * log(2 * Double.pi) - log(fraction)
}

/// a with ln Q(a) = `logMass` ≤ ln ½, by bisection.
func quantile(_ logMass: Double) -> Double {
  var (low, high) = (-1e-3, 2 + (-2 * logMass).squareRoot())
  for _ in 0..<200 {
    let middle = 0.5 * (low + high)
    if logTail(middle) > logMass { low = middle } else { high = middle }
  }
  return 0.5 * (low + high)
}
