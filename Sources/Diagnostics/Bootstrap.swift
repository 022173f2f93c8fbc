import Foundation
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
    precondition(count > 0 && resamples > 1)
    // About the value of the whole set, so that squares do not cancel.
    let centre = statistics([Int](repeating: 1, count: count))
    var sums = centre.map { _ in 0.0 }
    var squares = sums
    for resample in 0..<resamples {
      var stream = key.child(resample).stream()
      var multiplicities = [Int](repeating: 0, count: count)
      for _ in 0..<count { multiplicities[stream.index(below: count)] += 1 }
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
