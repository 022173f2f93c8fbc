import Randomness

/// The area under the receiver operating characteristic: how well a score tells two sets apart,
///
///     A = P(a > b) + ½ P(a = b)      a a score of `inside`, b one of `outside`, all pairs
///
/// 1 where every a is larger, ½ where the score tells nothing, 0 where every a is smaller. The same as
/// the Mann–Whitney statistic over n m.
public struct ROCArea: Sendable, Equatable {
  /// A, exact.
  public let value: Double
  /// Its standard error, by the bootstrap of both sets.
  public let error: Double

  public static let usualReplicates = 200

  /// Cost O(N log N + replicates · N), N scores in all.
  /// - Precondition: both sets have a score, none is NaN; −∞ and +∞ are scores.
  public init(
    inside: [Double], outside: [Double], replicates: Int = usualReplicates, key: RandomKey
  ) {
    precondition(!inside.isEmpty && !outside.isEmpty, "an area takes scores of both sets")
    precondition(!inside.contains(where: \.isNaN) && !outside.contains(where: \.isNaN))
    let levels = Self.levels(inside + outside)
    let (own, other) = (Array(levels.prefix(inside.count)), Array(levels.dropFirst(inside.count)))
    let count = (levels.max() ?? 0) + 1
    func counts(_ levels: [Int], _ times: [Int]) -> [Int] {
      var counts = [Int](repeating: 0, count: count)
      for (level, times) in zip(levels, times) { counts[level] += times }
      return counts
    }
    func area(_ times: [[Int]]) -> Double {
      Self.area(counts(own, times[0]), counts(other, times[1]))
    }
    value = area([own, other].map { [Int](repeating: 1, count: $0.count) })
    error =
      Bootstrap.standardErrors(
        counts: [own.count, other.count], resamples: replicates, key: key
      ) { [area($0)] }[0]
  }

  /// The place of each value among the distinct ones, from 0.
  private static func levels(_ values: [Double]) -> [Int] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var levels = [Int](repeating: 0, count: values.count)
    for (previous, next) in zip(order, order.dropFirst()) {
      levels[next] = levels[previous] + (values[next] > values[previous] ? 1 : 0)
    }
    return levels
  }

  /// From how many of either set have each level, lowest first.
  private static func area(_ inside: [Int], _ outside: [Int]) -> Double {
    // Twice the number of pairs in favour: a tie counts one.
    var pairs = 0
    var below = 0
    for (a, b) in zip(inside, outside) {
      pairs += a * (2 * below + b)
      below += b
    }
    return Double(pairs) / (2 * Double(inside.reduce(0, +)) * Double(below))
  }
}
