import Foundation
import Numerics
import Randomness

/// Standard errors by resampling with replacement (Efron, Ann. Statist. 7, 1979).
public enum Bootstrap {
  public static let resamples = 1000

  /// Of means over n items, or any other numbers computed from them: the standard deviation over
  /// resamples. Cost: `resamples` × (n random numbers and one call).
  /// - Parameter statistics: numbers of a resample, which is given as how often each item is in it.
  public static func standardErrors(
    count: Int, resamples: Int = Bootstrap.resamples, key: RandomKey,
    statistics: ([Int]) -> [Double]
  ) -> [Double] {
    standardErrors(counts: [count], resamples: resamples, key: key) { statistics($0[0]) }
  }

  /// The same of numbers computed from several sets, each of which is drawn anew from itself.
  /// - Parameter statistics: numbers of a resample, given as how often each item of each set is in it.
  public static func standardErrors(
    counts: [Int], resamples: Int = Bootstrap.resamples, key: RandomKey,
    statistics: ([[Int]]) -> [Double]
  ) -> [Double] {
    precondition(counts.allSatisfy { $0 > 0 } && resamples > 1)
    // About the value of the whole sets, so that squares do not cancel.
    let centre = statistics(counts.map { [Int](repeating: 1, count: $0) })
    var sums = centre.map { _ in 0.0 }
    var squares = sums
    for resample in 0..<resamples {
      var stream = key.child(resample).stream()
      let multiplicities = counts.map { count in
        var times = [Int](repeating: 0, count: count)
        for _ in 0..<count { times[stream.index(below: count)] += 1 }
        return times
      }
      for (index, value) in statistics(multiplicities).enumerated() {
        let deviation = value - centre[index]
        sums[index] += deviation
        squares[index] += deviation * deviation
      }
    }
    let number = Double(resamples)
    return zip(sums, squares).map { sum, square in
      (max(square - sum * sum / number, 0) / (number - 1)).squareRoot()
    }
  }
}
