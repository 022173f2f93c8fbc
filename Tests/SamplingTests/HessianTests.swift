import Foundation
import Testing

@testable import Sampling

@Suite struct HessianTests {
  // Differences of a linear gradient are exact up to rounding: 1e-16 · |∇|/h in whitened units. Fails
  // when: h is not divided by 2; L is transposed in either product; a column is skipped.
  @Test("a Gaussian's Hessian is minus its precision", arguments: [1, 2, 7])
  func gaussian(_ dimension: Int) throws {
    let target = GaussianTarget.correlated(dimension: dimension)
    let guess = DenseMetric(
      covariance: GaussianTarget.correlated(dimension: dimension, seed: 9).covariance,
      dimension: dimension)!
    let position = target.mean.map { $0 + 0.3 }
    let point = ExpansionPoint(position: position, metric: guess)
    let hessian = try hessians(of: target.density(), at: [point], pool: twoThreads)[0]!
    let scale = target.precision.map(abs).max()!
    for (a, b) in zip(hessian.elements, target.precision) { #expect(abs(a + b) < 1e-10 * scale) }
    #expect(hessian.asymmetry < 1e-10 * hessian.whitenedPrecision.map(abs).max()!)
    // The expansion holds what is at the point itself.
    var gradient = position
    #expect(hessian.logDensity == target.density().function(0, position, &gradient))
    #expect(hessian.gradient == gradient && hessian.position == position)
    // Σ₀ Σ⁻¹ has the eigenvalues of Lᵀ Σ⁻¹ L: their sum is the trace.
    let trace = (0..<dimension).reduce(0.0) { sum, i in
      sum
        + (0..<dimension).reduce(0) {
          $0 + guess.covariance[i * dimension + $1] * target.precision[$1 * dimension + i]
        }
    }
    let eigenvalues = hessian.whitenedEigenvalues
    #expect(abs(eigenvalues.reduce(0, +) / trace - 1) < 1e-9)
    #expect(eigenvalues == eigenvalues.sorted())
  }

  // ln p = 3 x − eˣ + x y at (0, 0): H = [[−1, 1], [1, 0]] with error h²/6 e⁰ L⁴ in the first element.
  // Halving h quarters it. Fails when: differences are one-sided.
  @Test("errors fall with the square of the step")
  func slope() throws {
    let target = FunctionTarget(dimension: 2) { _, x, gradient in
      gradient[0] = 3 - exp(x[0]) + x[1]
      gradient[1] = x[0]
      return 3 * x[0] - exp(x[0]) + x[0] * x[1]
    }
    let metric = DenseMetric(covariance: [1, 0, 0, 1], dimension: 2)!
    let errors = try [0.2, 0.1].map { step in
      let hessian = try hessians(
        of: target, at: [ExpansionPoint(position: [0, 0], metric: metric)], step: step,
        pool: twoThreads)[0]!
      #expect(abs(hessian.elements[1] - 1) < 1e-14 && abs(hessian.elements[3]) < 1e-14)
      return abs(hessian.elements[0] + 1)
    }
    #expect(abs(log2(errors[0] / errors[1]) - 2) < 0.02)
    #expect(abs(errors[1] - 0.1 * 0.1 / 6) < 1e-5)
  }

  // Rounded to 2.7e-5 in whitened coordinates, so elements are right to 2.7e-5/(2 h) = 3.4e-4.
  // Fails when: the step is 1e-4 (errors of 5 %).
  @Test("a gradient rounded like single precision gives a Hessian to three digits")
  func rounded() throws {
    let target = GaussianTarget.correlated(dimension: 6)
    let metric = DenseMetric(covariance: target.covariance, dimension: 6)!
    let exact = target.density()
    let noisy = FunctionTarget(dimension: 6) { problem, x, gradient in
      let value = exact.function(problem, x, &gradient)
      var whitened = metric.whitenedGradient(gradient)
      for i in whitened.indices { whitened[i] = (whitened[i] * 37_000).rounded() / 37_000 }
      // Back: L⁻ᵀ ξ-gradient.
      for i in stride(from: 5, through: 0, by: -1) {
        var sum = whitened[i]
        for k in i + 1..<6 { sum -= metric.choleskyFactor[6 * k + i] * gradient[k] }
        gradient[i] = sum / metric.choleskyFactor[7 * i]
      }
      return value
    }
    let position = target.mean.map { $0 + 0.01 }
    let hessian = try hessians(
      of: noisy, at: [ExpansionPoint(position: position, metric: metric)], pool: twoThreads)[0]!
    for (index, element) in hessian.whitenedPrecision.enumerated() {
      #expect(abs(element - (index % 7 == 0 ? 1 : 0)) < 3.5e-4)
    }
  }

  // Problem k's center is shifted by k. Fails when: a point is evaluated under another's problem; sets
  // are mixed up.
  @Test("points of several problems are expanded together, whatever the threads")
  func batch() throws {
    let target = GaussianTarget.correlated(dimension: 3)
    let metric = DenseMetric(covariance: target.covariance, dimension: 3)!
    let cubic = FunctionTarget(dimension: 3, problemCount: 4) { problem, x, gradient in
      for i in 0..<3 { gradient[i] = -Double(problem + 1) * x[i] * x[i] * x[i] }
      return x.reduce(0) { $0 - Double(problem + 1) * $1 * $1 * $1 * $1 / 4 }
    }
    let points = [2, 0, 3].map {
      ExpansionPoint(problem: $0, position: [1, Double($0), -1], metric: metric)
    }
    let together = try hessians(of: cubic, at: points, lanesPerBlock: 4, pool: twoThreads)
    for (point, hessian) in zip(points, together) {
      let alone = try hessians(
        of: cubic, at: [point], lanesPerBlock: 4, pool: .init(threads: 1))[0]!
      #expect(alone.whitenedPrecision == hessian!.whitenedPrecision)
      #expect(abs(hessian!.elements[0] + 3 * Double(point.problem + 1)) < 0.1)
    }
  }

  @Test("a point next to a region without density has no Hessian")
  func wall() throws {
    let half = FunctionTarget(dimension: 1) { _, x, gradient in
      gradient[0] = -x[0]
      return x[0] < 0 ? -.infinity : -0.5 * x[0] * x[0]
    }
    let metric = DenseMetric(covariance: [1], dimension: 1)!
    let points = [0.01, 1].map { ExpansionPoint(position: [$0], metric: metric) }
    let found = try hessians(of: half, at: points, pool: twoThreads)
    #expect(found[0] == nil && found[1] != nil)
  }
}
