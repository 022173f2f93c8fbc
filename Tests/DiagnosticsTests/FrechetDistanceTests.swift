import Diagnostics
import Numerics
import Randomness
import Testing

@Suite struct FrechetDistanceTests {
  private func distance(
    _ mean: ([Double], [Double]), _ covariance: ([Double], [Double])
  ) -> Double {
    FrechetDistance.between(
      GaussianMoments(mean: mean.0, covariance: covariance.0),
      GaussianMoments(mean: mean.1, covariance: covariance.1))
  }

  /// Fails when: the factor 2 of the root is lost, the means are not squared.
  @Test("of diagonal Gaussians it is Σ (μ₁ − μ₂)² + (s₁ − s₂)²")
  func diagonal() {
    #expect(abs(distance(([3], [1]), ([4], [0.25])) - 6.25) < 1e-13)
    let first: [Double] = [1.5, 0.2, 3]
    let second: [Double] = [0.5, 0.7, 3]
    func squares(_ deviations: [Double]) -> [Double] {
      var result = [Double](repeating: 0, count: 9)
      for index in 0..<3 { result[4 * index] = deviations[index] * deviations[index] }
      return result
    }
    let value = distance(([1, 2, 3], [1, 0, 3.5]), (squares(first), squares(second)))
    // Means: 4 + 0.25; standard deviations: 1 + 0.25.
    #expect(abs(value - 5.5) < 1e-12)
  }

  /// tr (AB)^½ = √(tr AB + 2 √det AB) for 2×2: the square of λ₁^½ + λ₂^½. The two do not commute, so that
  /// Σ₁^½ Σ₂^½ would give another number. Fails when: the root is not that of the product.
  @Test("of two planes it is the closed form")
  func plane() {
    let a: [Double] = [2, 1, 1, 3]
    let b: [Double] = [1, -0.5, -0.5, 2]
    let trace = zip(a, b).reduce(0.0) { $0 + $1.0 * $1.1 }
    let determinant = 5.0 * 1.75
    let root = (trace + 2 * determinant.squareRoot()).squareRoot()
    let value = distance(([0, 1], [2, 1]), (a, b))
    #expect(abs(value - (12 - 2 * root)) < 1e-12)
    #expect(abs(distance(([2, 1], [0, 1]), (b, a)) - value) < 1e-12)
  }

  /// Fails when: eigenvectors are read as columns where they are rows.
  @Test("a covariance c times another is (1 − √c)² times its trace away; equal ones are not at all")
  func scaled() {
    var stream = RandomKey(seed: 1).stream()
    let rows = (0..<6).map { _ in stream.normals(6) }
    let covariance = (0..<36).map { (index: Int) -> Double in
      rows.reduce(0.0) { $0 + $1[index / 6] * $1[index % 6] }
    }
    let trace = (0..<6).reduce(0.0) { $0 + covariance[$1 * 7] }
    let mean = [Double](repeating: 1, count: 6)
    let value = distance((mean, mean), (covariance, covariance.map { 0.3 * $0 }))
    let factor = 1 - 0.3.squareRoot()
    #expect(abs(value - factor * factor * trace) < 1e-11 * trace)
    #expect(distance((mean, mean), (covariance, covariance)) < 1e-11 * trace)
  }

  @Test("a covariance without full rank has a distance too")
  func degenerate() {
    #expect(abs(distance(([0, 0], [0, 0]), ([1, 1, 1, 1], [0, 0, 0, 0])) - 2) < 1e-12)
    // On one line: standard deviations √2 and √8 along it.
    #expect(abs(distance(([0, 0], [0, 0]), ([1, 1, 1, 1], [4, 4, 4, 4])) - 2) < 1e-12)
  }

  /// The distance between sets of two known Gaussians is that of the Gaussians but for terms of 1/n.
  /// Fails when: the replicates leave out nothing.
  @Test("between sets of draws the distance is within four errors of that of their Gaussians")
  func sets() {
    var stream = RandomKey(seed: 2).stream()
    let count = 20_000
    func rows(_ scale: [Double], _ shift: [Double]) -> GroupedMoments {
      var rows: [Float] = []
      for _ in 0..<count {
        for (s, m) in zip(scale, shift) { rows.append(Float(m + s * stream.normal())) }
      }
      return GroupedMoments(rows: rows, dimension: 2, groups: 50)
    }
    let estimate = FrechetDistance.between(rows([1, 2], [0, 0]), rows([1.5, 2], [0, 1]))
    #expect(estimate.replicates.count == 50)
    #expect(abs(estimate.value - 1.25) < 4 * estimate.error, "\(estimate.value)")
    // To first order the variance is that of 2Δ(μ̂₁ − μ̂₂) and of 2(s₁ − s₂)(ŝ₁ − ŝ₂), Var ŝ = s²/2n.
    let variance = (4 * 1.0 * 8.0 + 4 * 0.25 * 3.25 / 2) / Double(count)
    let expected = variance.squareRoot()
    #expect(abs(estimate.error / expected - 1) < 0.35, "\(estimate.error) \(expected)")
  }
}
