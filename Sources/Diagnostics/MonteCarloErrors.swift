import Foundation
import Numerics

/// Monte Carlo standard errors of estimates from several chains; NaN with fewer than four draws a
/// chain or where a draw is not finite. Traces are chains × draws.
public enum MonteCarloErrors {
  /// Of the mean: sd / √ESS.
  public static func ofMean(_ trace: [[Double]]) -> Double {
    guard isDiagnosable(trace) else { return .nan }
    let ess = SplitTrace(splitting: trace).effectiveSampleSize
    return (variance(trace.flatMap { $0 }) / ess).squareRoot()
  }

  /// Of the standard deviation: with c = (x − x̄)², Var sd ≈ Var c̄ / (4 c̄) (delta method; Kenney and
  /// Keeping 1951, p. 141).
  public static func ofStandardDeviation(_ trace: [[Double]]) -> Double {
    guard isDiagnosable(trace) else { return .nan }
    let count = Double(trace.count * trace[0].count)
    let mean = trace.joined().reduce(0, +) / count
    let squares = trace.map { $0.map { ($0 - mean) * ($0 - mean) } }
    let ess = SplitTrace(splitting: squares).effectiveSampleSize
    let second = squares.joined().reduce(0, +) / count
    let fourth = squares.joined().reduce(0) { $0 + $1 * $1 } / count
    return ((fourth - second * second) / ess / second / 4).squareRoot()
  }

  /// Of a quantile: half the distance of the order statistics at the ±1 σ quantiles of the Beta
  /// distribution that the effective number of draws below gives.
  /// Source: Vehtari et al. 2021, section 4.3.
  /// - Precondition: 0 < `probability` < 1.
  public static func ofQuantile(_ trace: [[Double]], probability: Double) -> Double {
    precondition(0 < probability && probability < 1)
    guard isDiagnosable(trace) else { return .nan }
    let split = SplitTrace(splitting: trace)
    let sorted = trace.flatMap { $0 }.sorted()
    let ess = quantileESS(sorted, split, probability: probability)
    func place(_ p: Double) -> Double {
      Double(sorted.count)
        * betaQuantile(p, a: ess * probability + 1, b: ess * (1 - probability) + 1) - 1
    }
    // The source's 0.1586553 and 0.8413447, Φ(∓1).
    let lower = Int(max(place(0.1586553), 0).rounded(.down))
    let upper = Int(min(place(0.8413447), Double(sorted.count - 1)).rounded(.up))
    return (sorted[upper] - sorted[lower]) / 2
  }
}
