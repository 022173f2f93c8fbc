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
  /// Its standard error: the standard deviation over replicates in which both sets are drawn anew from
  /// themselves, with replacement.
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
    func counts(_ levels: [Int], _ place: (Int) -> Int) -> [Int] {
      var counts = [Int](repeating: 0, count: count)
      for index in levels.indices { counts[levels[place(index)]] += 1 }
      return counts
    }
    value = Self.area(counts(own) { $0 }, counts(other) { $0 })
    let areas = (0..<replicates).map { replicate in
      var stream = key.child(replicate).stream()
      let first = counts(own) { _ in stream.index(below: own.count) }
      return Self.area(first, counts(other) { _ in stream.index(below: other.count) })
    }
    let mean = areas.reduce(0, +) / Double(max(replicates, 1))
    let squares = areas.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    error = (squares / Double(max(replicates - 1, 1))).squareRoot()
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
