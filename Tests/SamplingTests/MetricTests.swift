import Foundation
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

private let covariance = [2.0, -0.6, 0.3, -0.6, 0.5, 0.1, 0.3, 0.1, 0.9]
private let dense = DenseMetric(covariance: covariance, dimension: 3)!

@Suite struct MetricTests {
  // Fails when: L is transposed; the solve uses L for Lᵀ.
  @Test("the factor's square is the covariance")
  func factor() {
    for i in 0..<3 {
      for j in 0..<3 {
        let sum = (0..<3).reduce(0.0) {
          $0 + dense.choleskyFactor[3 * i + $1] * dense.choleskyFactor[3 * j + $1]
        }
        #expect(abs(sum - covariance[3 * i + j]) < 1e-15)
        if j > i { #expect(dense.choleskyFactor[3 * i + j] == 0) }
      }
    }
  }

  @Test("a precision gives its inverse")
  func precision() {
    let metric = DenseMetric(precision: covariance, dimension: 3)!
    for i in 0..<3 {
      for j in 0..<3 {
        let sum = (0..<3).reduce(0.0) {
          $0 + covariance[3 * i + $1] * metric.covariance[3 * $1 + j]
        }
        #expect(abs(sum - (i == j ? 1 : 0)) < 1e-14)
      }
    }
  }

  // Velocities Σ p of p ~ N(0, Σ⁻¹) are N(0, Σ): second moments within 4 standard errors, 20000 draws.
  // Fails when: momenta are L ξ or L⁻¹ ξ; the diagonal metric multiplies where it should divide.
  @Test("velocities are distributed as the target", arguments: [0, 1])
  func momenta(_ kind: Int) {
    let metric: any Metric = kind == 0 ? dense : DiagonalMetric(variances: [4, 0.25, 0.01])
    let expected = kind == 0 ? covariance : [4, 0, 0, 0, 0.25, 0, 0, 0, 0.01]
    var stream = RandomKey(seed: 11).child("momenta").stream()
    var moments = RunningMoments(dimension: 3, shape: .full)
    var (momentum, velocity) = ([0.0, 0, 0], [0.0, 0, 0])
    let count = 20_000
    for _ in 0..<count {
      metric.drawMomentum(into: &momentum, from: &stream)
      metric.velocity(of: momentum, into: &velocity)
      moments.add(velocity)
    }
    for i in 0..<3 {
      for j in 0..<3 {
        let error =
          ((expected[4 * i] * expected[4 * j] + expected[3 * i + j] * expected[3 * i + j])
          / Double(count)).squareRoot()
        #expect(
          abs(moments.scatter[3 * i + j] / Double(count - 1) - expected[3 * i + j]) < 4 * error)
      }
    }
  }

  // dᵀΣ⁻¹d with Σ x = d solved by hand through the velocity: d = Σ x, so the length is xᵀ Σ x.
  @Test("squared lengths are Mahalanobis")
  func lengths() {
    let x = [0.3, -1.2, 0.7]
    for metric in [dense as any Metric, DiagonalMetric(variances: [4, 0.25, 0.01])] {
      var d = [0.0, 0, 0]
      metric.velocity(of: x, into: &d)
      #expect(abs(metric.squaredLength(of: d) - dot(x, d)) < 1e-14)
    }
  }

  @Test("what is not positive definite is no metric")
  func notPositive() {
    #expect(DenseMetric(covariance: [1, 2, 2, 1], dimension: 2) == nil)
    #expect(DenseMetric(covariance: [1, .nan, .nan, 1], dimension: 2) == nil)
    #expect(DenseMetric(precision: [1, 2, 2, 1], dimension: 2) == nil)
  }
}
