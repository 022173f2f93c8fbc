import Foundation

// Notation
//   N  values, uniform on [0, 1] when calibrated     t_i = i/K, i = 1 … K−1  points of evaluation
//   c_i  values ≤ t_i: Binomial(N, t_i), and given c_i the next one is
//        c_i + Binomial(N − c_i, (t_{i+1} − t_i)/(1 − t_i)): a Markov chain in i
//   γ  share of each binomial law that is left out on either side

/// The band in which the empirical distribution function of N uniform values lies at all points of
/// evaluation at once, with a given probability; at each point it leaves out the same share γ of the
/// binomial law on either side.
///
/// γ comes from the exact probability of staying inside, one sum over the Markov chain of counts, and
/// bisection; 40 sums of about K·N multiplications each (a tenth of a second at N = 1000).
/// Source: Säilynoja, Bürkner and Vehtari, "Graphical test for discrete uniformity", Statistics and
/// Computing 32 (2022), section 3.2.
public struct UniformityBand: Sendable {
  /// N.
  public let count: Int
  /// Probability that uniform values stay inside; at least what was asked for.
  public let mass: Double
  /// t_i.
  public let points: [Double]
  /// Smallest and largest number of values ≤ t_i inside the band.
  public let lower: [Int]
  public let upper: [Int]

  /// - Parameter points: K, at most 100 of use; less than N + 1 by default.
  /// - Precondition: N ≥ 1, 0 < mass < 1, K ≥ 2.
  public init(count: Int, mass: Double, points: Int = 50) {
    precondition(count >= 1 && mass > 0 && mass < 1 && points >= 2)
    self.count = count
    self.points = (1..<points).map { Double($0) / Double(points) }
    let tables = BinomialTables(count: count)
    // The larger γ, the narrower the band: find the largest that still holds the mass.
    var (low, high) = (0.0, 0.5)
    var best: (lower: [Int], upper: [Int])?
    var reached = 1.0
    for _ in 0..<40 {
      let middle = (low + high) / 2
      let limits = self.points.map { tables.interval($0, tail: middle) }
      let inside = tables.probabilityInside(self.points, limits)
      if inside >= mass {
        low = middle
        best = (limits.map(\.lowerBound), limits.map(\.upperBound))
        reached = inside
      } else {
        high = middle
      }
    }
    lower = best?.lower ?? self.points.map { _ in 0 }
    upper = best?.upper ?? self.points.map { _ in count }
    self.mass = reached
  }

  /// How many of `values` are at most each t_i.
  public func counts(_ values: [Double]) -> [Int] {
    let sorted = values.sorted()
    var position = 0
    return points.map { point in
      while position < sorted.count && sorted[position] <= point { position += 1 }
      return position
    }
  }

  /// Whether the empirical distribution function of N values stays inside.
  /// - Precondition: N values.
  public func contains(_ values: [Double]) -> Bool {
    precondition(values.count == count)
    return zip(counts(values), zip(lower, upper)).allSatisfy { $0 >= $1.0 && $0 <= $1.1 }
  }
}

/// Binomial laws of N trials by logarithms of factorials.
private struct BinomialTables {
  let count: Int
  private let logFactorials: [Double]

  init(count: Int) {
    self.count = count
    logFactorials = (0...count).map { lgamma(Double($0) + 1) }
  }

  /// P(k successes of n with probability p).
  func probability(_ k: Int, of n: Int, _ p: Double) -> Double {
    if p >= 1 { return k == n ? 1 : 0 }
    return exp(
      logFactorials[n] - logFactorials[k] - logFactorials[n - k] + Double(k) * log(p)
        + Double(n - k) * log1p(-p))
  }

  /// The counts that leave out at most `tail` on either side at the point t.
  func interval(_ t: Double, tail: Double) -> ClosedRange<Int> {
    var (first, below) = (0, 0.0)
    while first < count {
      below += probability(first, of: count, t)
      if below > tail { break }
      first += 1
    }
    var (last, above) = (count, 0.0)
    while last > first {
      above += probability(last, of: count, t)
      if above > tail { break }
      last -= 1
    }
    return first...last
  }

  /// P(all counts lie in their intervals).
  func probabilityInside(_ points: [Double], _ limits: [ClosedRange<Int>]) -> Double {
    var law = [Double](repeating: 0, count: count + 1)
    law[0] = 1
    var support = 0...0
    var before = 0.0
    for (point, limit) in zip(points, limits) {
      let share = (point - before) / (1 - before)
      var next = [Double](repeating: 0, count: count + 1)
      for state in support where law[state] > 1e-18 {
        for reached in max(limit.lowerBound, state)...max(limit.upperBound, state)
        where limit.contains(reached) {
          next[reached] += law[state] * probability(reached - state, of: count - state, share)
        }
      }
      (law, support, before) = (next, limit, point)
    }
    return law.reduce(0, +)
  }
}
