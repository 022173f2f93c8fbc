import Foundation

/// Φ⁻¹(p), the quantile of the standard normal, to a few ulps.
///
/// For p ≤ ½ starts from √(−2 ln p) style bounds and solves Φ(x) = p by Halley's method with the
/// library's erfc: with e = (Φ(x) − p)/φ(x), x ← x − e/(1 + x e/2); cubic convergence.
/// - Precondition: 0 < p < 1.
package func normalQuantile(_ p: Double) -> Double {
  precondition(0 < p && p < 1)
  if p > 0.5 { return -normalQuantile(1 - p) }
  // A tail bound far out, a linear start near the middle; both within Halley's reach.
  let tail = (-2 * log(p)).squareRoot()
  var x = p < 0.1 ? -(tail - log(tail * 2.5066282746310002) / tail) : (p - 0.5) * 2.7
  for _ in 0..<20 {
    let density = exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    let error = (0.5 * erfc(-x / 2.0.squareRoot()) - p) / density
    let step = error / (1 + 0.5 * x * error)
    x -= step
    if abs(step) <= 1e-9 * max(1, abs(x)) { break }
  }
  return x
}

/// The normal scores of all ranks of a sample of fixed size, computed once.
///
/// A rank r of N (a multiple of ½, since ties share their mean rank) has the score
/// Φ⁻¹((r − 3/8)/(N + 1/4)).
/// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, eq. 14 (Blom's offset).
package struct NormalScores {
  private let scores: [Double]

  package init(count: Int) {
    scores = (2...max(2, 2 * count)).map { doubledRank in
      normalQuantile((Double(doubledRank) / 2 - 0.375) / (Double(count) + 0.25))
    }
  }

  /// The score of rank `doubledRank`/2, ranks from 1.
  subscript(doubledRank: Int) -> Double { scores[doubledRank - 2] }

  /// `order` lists the indices of `values` from small to large; the result is in the order of
  /// `values`.
  package func scores(of values: [Double], order: [Int]) -> [Double] {
    var result = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count && values[order[last + 1]] == values[order[first]] { last += 1 }
      let score = self[(first + 1) + (last + 1)]
      for place in first...last { result[order[place]] = score }
      first = last + 1
    }
    return result
  }
}
