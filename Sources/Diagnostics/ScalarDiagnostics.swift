import Foundation
import Numerics

/// How well several chains explored one scalar quantity.
///
/// Source of all: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021; numbers agree with ArviZ.
/// Every value is NaN with fewer than four draws a chain or where a draw is not finite.
public struct ScalarDiagnostics: Sendable, Equatable {
  /// The larger of rank-normalized split R̂ and its folded version, of one chain that of its halves; NaN
  /// where nothing moves.
  public let rHat: Double
  /// Effective sample size of the rank-normalized draws: how well the center is known.
  public let bulkESS: Double
  /// The smaller of those of the 5 % and 95 % quantiles.
  public let tailESS: Double

  /// - Parameter trace: chains × draws.
  /// - Precondition: at least one chain, all of one length.
  public init(_ trace: [[Double]]) {
    self.init(trace, scores: nil)
  }

  /// `scores` for the number of draws in the halves of all chains, when the caller has them.
  init(_ trace: [[Double]], scores: NormalScores?) {
    guard isDiagnosable(trace) else {
      (rHat, bulkESS, tailESS) = (.nan, .nan, .nan)
      return
    }
    let split = SplitTrace(splitting: trace)
    let scores = scores ?? NormalScores(count: split.values.count)
    let order = sortedOrder(split.values)
    let normalized = split.with(scores.scores(of: split.values, order: order))
    bulkESS = normalized.effectiveSampleSize
    let sorted = trace.flatMap { $0 }.sorted()
    tailESS = min(
      quantileESS(sorted, split, probability: 0.05),
      quantileESS(sorted, split, probability: 0.95))
    // Folding about the median shows chains that agree in location and differ in scale.
    let center = split.values.count / 2
    let upper = split.values[order[center]]
    let lower = split.values[order[(split.values.count - 1) / 2]]
    let median = (lower + upper) / 2
    let folded = split.with(split.values.map { abs($0 - median) })
    let foldedScores = scores.scores(of: folded.values, order: sortedOrder(folded.values))
    rHat = larger(normalized.classicalRHat, split.with(foldedScores).classicalRHat)
  }
}

/// A NaN loses to a number only if it is second, as in Python's `max`.
private func larger(_ first: Double, _ second: Double) -> Double {
  second > first ? second : first
}

/// At least four finite draws in chains of one length.
func isDiagnosable(_ trace: [[Double]]) -> Bool {
  precondition(!trace.isEmpty && trace.allSatisfy { $0.count == trace[0].count })
  return trace[0].count >= 4 && trace.allSatisfy { $0.allSatisfy(\.isFinite) }
}

/// The indices of `values` from the smallest to the largest.
private func sortedOrder(_ values: [Double]) -> [Int] {
  let keyed = values.enumerated().map { (value: $0.element, index: Int32($0.offset)) }
  return keyed.sorted { $0.value < $1.value }.map { Int($0.index) }
}

/// The effective sample size of the indicator of x ≤ q, q the quantile of all draws, `sorted`.
func quantileESS(_ sorted: [Double], _ split: SplitTrace, probability: Double) -> Double {
  let threshold = quantile(sorted, probability)
  return split.with(split.values.map { $0 <= threshold ? 1 : 0 }).effectiveSampleSize
}
