import Foundation
import Numerics

/// Importance weights whose largest are replaced by quantiles of a generalized Pareto distribution
/// fitted to them, and its shape k̂, which says whether the weights can be relied on.
///
///     w_s = p(x_s)/q(x_s), x_s ~ q;   M = ⌈min(S/5, 3 √S)⌉ largest;   u = the largest of the others
///     w̃ of rank z in the tail = min(u + F⁻¹((z − ½)/M), max w)
///
/// Source: Vehtari, Simpson, Gelman, Yao and Gabry, "Pareto smoothed importance sampling", JMLR 2024,
/// algorithm 1. k̂ ≤ 0.7: errors fall fast enough with S that estimates and their errors hold. Above it
/// the proposal misses mass, and neither is to be trusted.
public struct ParetoSmoothing: Sendable, Equatable {
  /// ln W_s, nats, smoothed, in the order given; Σ W_s = 1.
  public let logWeights: [Double]
  /// k̂; +∞ where no tail can be fitted (too few draws of density above zero), 0 where the largest
  /// weights are all equal.
  public let shape: Double
  /// M, the number of weights replaced.
  public let tailCount: Int
  /// ln of the mean of the unsmoothed weights, nats: ln Z when p = Z · density and q is normalized.
  public let rawLogMeanWeight: Double
  /// Its standard error, nats, as `logMeanWeightError`.
  public let rawLogMeanWeightError: Double
  /// The same of the smoothed weights: less noise, a bias that vanishes with S.
  public let logMeanWeight: Double

  /// - Parameter logWeights: ln p(x_s) − ln q(x_s), nats; −∞ where p is zero.
  /// - Precondition: at least one weight, none NaN or +∞.
  public init(logWeights raw: [Double]) {
    precondition(!raw.isEmpty, "smoothing takes weights")
    precondition(raw.allSatisfy { $0 < .infinity }, "a log weight is a number or −∞")
    let top = raw.max() ?? -.infinity
    guard top > -.infinity else {
      logWeights = [Double](repeating: -log(Double(raw.count)), count: raw.count)
      (shape, tailCount) = (.infinity, 0)
      (rawLogMeanWeight, logMeanWeight) = (-.infinity, -.infinity)
      rawLogMeanWeightError = .infinity
      return
    }
    var shifted = raw.map { $0 - top }
    let rawMean = logMeanExp(shifted)
    rawLogMeanWeight = top + rawMean
    // Σ W² of W = w/(S w̄).
    let rawTotal = rawMean + log(Double(raw.count))
    rawLogMeanWeightError = Self.error(
      count: raw.count, squares: shifted.reduce(0) { $0 + exp(2 * ($1 - rawTotal)) })
    (shape, tailCount) = Self.smoothTail(of: &shifted)
    let mean = logMeanExp(shifted)
    logMeanWeight = top + mean
    let total = mean + log(Double(raw.count))
    logWeights = shifted.map { $0 - total }
  }

  /// The estimated number of independent draws of p that would tell as much, (Σ w)²/Σ w².
  public var effectiveSampleSize: Double { 1 / logWeights.reduce(0) { $0 + exp(2 * $1) } }

  /// Standard error of `logMeanWeight`, nats, by the delta method: Var ln w̄ ≈ Var w/(S w̄²) =
  /// (S Σ W² − 1)/(S − 1). Holds for k̂ < ½ and as a rough guide up to 0.7.
  public var logMeanWeightError: Double {
    Self.error(count: logWeights.count, squares: 1 / effectiveSampleSize)
  }

  /// √((S Σ W² − 1)/(S − 1)).
  private static func error(count: Int, squares: Double) -> Double {
    guard count > 1 else { return .infinity }
    return (max(0, Double(count) * squares - 1) / Double(count - 1)).squareRoot()
  }

  /// k̂ up to which S draws suffice: min(1 − 1/log₁₀ S, 0.7) (section 3.2.4 of the source).
  public static func largestReliableShape(count: Int) -> Double {
    min(1 - 1 / log10(Double(max(count, 2))), 0.7)
  }

  /// In words why the weights are not to be relied on; nil when they are.
  public var reason: String? {
    let limit = Self.largestReliableShape(count: logWeights.count)
    if shape <= limit { return nil }
    guard shape.isFinite else {
      return "the importance weights have no tail to judge: too few draws fall where the density "
        + "is above zero"
    }
    return String(
      format: "the Pareto shape k of %d importance weights is %.2f, above %.2f: the approximation "
        + "misses a part of the posterior", logWeights.count, shape, limit)
  }

  /// Replaces the tail of log weights whose largest is 0; k̂ and how many were replaced.
  private static func smoothTail(of logWeights: inout [Double]) -> (shape: Double, count: Int) {
    let count = Double(logWeights.count)
    let wanted = Int(min(count / 5, 3 * count.squareRoot()).rounded(.up))
    let order = logWeights.indices.sorted { (logWeights[$0], $0) < (logWeights[$1], $1) }
    guard wanted < order.count else { return (.infinity, 0) }
    // Weights below the smallest normal number are no tail.
    let cutoff = max(
      logWeights[order[order.count - wanted - 1]], log(Double.leastNormalMagnitude))
    let tail = order.drop { logWeights[$0] <= cutoff }
    let threshold = exp(cutoff)
    // Equal up to rounding: nothing can be better.
    if threshold >= 1 - 1e-10 { return (0, 0) }
    guard tail.count > 4 else { return (.infinity, 0) }
    let fit = GeneralizedPareto(fitting: tail.map { exp(logWeights[$0]) - threshold })
    guard fit.shape.isFinite else { return (.infinity, 0) }
    for (place, index) in tail.enumerated() {
      let probability = (Double(place) + 0.5) / Double(tail.count)
      logWeights[index] = min(0, log(threshold + fit.quantile(probability)))
    }
    return (fit.shape, tail.count)
  }
}

/// ln of the mean of exp(values), for values of at most 0 of which one is near it.
private func logMeanExp(_ values: [Double]) -> Double {
  log(values.reduce(0) { $0 + exp($1) } / Double(values.count))
}
