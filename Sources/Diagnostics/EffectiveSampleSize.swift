import Foundation

extension SplitTrace {
  /// The effective sample size of the mean of the trace, from Geyer's initial monotone sequence of
  /// autocorrelations, at most N log₁₀ N for N draws in all; N where nothing moves; NaN where a value
  /// is not finite.
  ///
  ///     ρ_t = 1 − (W − mean_m γ_{m,t}) / var⁺,   var⁺ = (n − 1)/n W + B/n
  ///     τ = −1 + 2 Σ_{t ≤ T} ρ_t + ρ_{T+1},      ESS = N/τ
  ///
  /// Source: Vehtari et al. 2021, eqs. 10–13; the last, even term counts once, as in Stan and ArviZ.
  /// Autocovariances are summed directly, only up to where the sequence ends: O(N T).
  var effectiveSampleSize: Double {
    let total = Double(chains * draws)
    guard values.allSatisfy(\.isFinite) else { return .nan }
    guard let smallest = values.min(), let largest = values.max(), largest - smallest >= 1e-15
    else { return total }
    let autocovariance = Autocovariance(self)
    let n = Double(draws)
    let atLagZero = autocovariance[0]
    let within = atLagZero * n / (n - 1)
    let pooled = atLagZero + (chains > 1 ? variance(autocovariance.means) : 0)
    func correlation(_ lag: Int) -> Double { 1 - (within - autocovariance[lag]) / pooled }

    // Sums of neighbours are positive for a reversible chain; the first that is not ends the sequence.
    var pairs = [(even: 1.0, odd: correlation(1))]
    while 2 * pairs.count + 1 < draws - 1, pairs.last!.even + pairs.last!.odd > 0 {
      pairs.append((correlation(2 * pairs.count), correlation(2 * pairs.count + 1)))
    }
    let last = pairs.removeLast()
    let final = last.even + last.odd >= 0 ? last.even : max(0, last.even)
    return total / max(Self.integratedTime(pairs, final: final), 1 / log10(total))
  }

  /// τ, with the sums of neighbours made to decrease.
  private static func integratedTime(_ pairs: [(even: Double, odd: Double)], final: Double)
    -> Double
  {
    var sum = 0.0
    var bound = Double.infinity
    for pair in pairs {
      bound = min(bound, pair.even + pair.odd)
      sum += bound
    }
    return -1 + 2 * sum + final
  }
}

/// The autocovariance at a lag, (1/n) Σ (x_i − x̄)(x_{i+t} − x̄), averaged over chains.
private struct Autocovariance {
  let means: [Double]
  private let centered: SplitTrace

  init(_ trace: SplitTrace) {
    means = trace.chainMeans
    var values = trace.values
    for chain in 0..<trace.chains {
      for i in chain * trace.draws..<(chain + 1) * trace.draws { values[i] -= means[chain] }
    }
    centered = trace.with(values)
  }

  subscript(lag: Int) -> Double {
    let (chains, draws) = (centered.chains, centered.draws)
    let values = centered.values.span
    var partial = SIMD4<Double>.zero
    for chain in 0..<chains {
      let start = chain * draws
      let count = draws - lag
      let blocked = count & ~3
      for i in stride(from: start, to: start + blocked, by: 4) {
        let early = SIMD4<Double>(values[i], values[i + 1], values[i + 2], values[i + 3])
        let j = i + lag
        let late = SIMD4<Double>(values[j], values[j + 1], values[j + 2], values[j + 3])
        partial += early * late
      }
      for i in start + blocked..<start + count { partial[0] += values[i] * values[i + lag] }
    }
    return partial.sum() / Double(chains * draws)
  }
}
