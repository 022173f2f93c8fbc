import Diagnostics
import Numerics
import Randomness
import Testing

@Suite struct GroupedMomentsTests {
  /// Far from 0, where sums of squares would cancel.
  private static let rows: [Float] = {
    var stream = RandomKey(seed: 3).stream()
    return (0..<37 * 3).map { Float(1000 + Double($0 % 3) * stream.normal() + stream.normal()) }
  }()

  private func direct(_ kept: [Int]) -> GaussianMoments {
    let rows = kept.map { (row: Int) -> [Double] in
      (0..<3).map { Double(Self.rows[row * 3 + $0]) }
    }
    let mean = (0..<3).map { (k: Int) -> Double in
      rows.reduce(0.0) { $0 + $1[k] } / Double(rows.count)
    }
    let covariance = (0..<9).map { (index: Int) -> Double in
      let (i, j) = (index / 3, index % 3)
      var sum = 0.0
      for row in rows { sum += (row[i] - mean[i]) * (row[j] - mean[j]) }
      return sum / Double(rows.count - 1)
    }
    return GaussianMoments(mean: mean, covariance: covariance)
  }

  /// Fails when: a group's products stay in, the sums' part of the covariance is lost, the lower triangle
  /// is left, or n is divided by in place of n − 1.
  @Test("moments of all rows and of all but a group are those computed directly")
  func moments() {
    let grouped = GroupedMoments(rows: Self.rows, dimension: 3, groups: 5)
    for group in [nil] + (0..<5).map(Optional.some) {
      let found = grouped.moments(without: group)
      let expected = direct((0..<37).filter { $0 % 5 != group })
      for (a, b) in zip(found.mean, expected.mean) { #expect(abs(a - b) < 1e-9) }
      for (a, b) in zip(found.covariance, expected.covariance) { #expect(abs(a - b) < 1e-9) }
    }
  }

  /// Fails when: G/(G−1) stands for (G−1)/G.
  @Test("the jackknife error of a mean is s/√n; a ratio's knows what both have in common")
  func jackknife() {
    let values = [1.0, 4, 2, 8, 5, 7, 1]
    let mean = values.reduce(0, +) / 7
    let estimate = JackknifeEstimate(
      value: mean, replicates: values.map { (7 * mean - $0) / 6 })
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6
    #expect(abs(estimate.error - (variance / 7).squareRoot()) < 1e-14)
    let double = JackknifeEstimate(value: 2 * mean, replicates: estimate.replicates.map { 2 * $0 })
    #expect((double / estimate).value == 2 && (double / estimate).error < 1e-14)
  }
}
