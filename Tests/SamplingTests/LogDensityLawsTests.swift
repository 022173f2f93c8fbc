import Foundation
import LawCheckers
import Probability
import Randomness
import Testing

/// −log cosh in two coordinates, its gradient multiplied by `factor`.
private func target(factor: Double) -> FunctionTarget {
  FunctionTarget(dimension: 2) { _, x, gradient in
    for i in 0..<2 { gradient[i] = -factor * tanh(x[i]) }
    return -log(cosh(x[0])) - log(cosh(x[1]))
  }
}

@Suite struct LogDensityLawsTests {
  @Test("a right gradient passes with slope 2")
  func right() throws {
    let report = try checkLogDensity(
      target(factor: 1), at: [0.4, -1.1], step: 1e-2, key: RandomKey(seed: 71))
    #expect(report.gradientError < 1e-8)
    #expect(abs(report.slope - 2) < 0.05)
    #expect(report.lanesAgree)
  }

  @Test("a quadratic has no error to take a slope of")
  func quadratic() throws {
    let gaussian = GaussianTarget(mean: [1, 2], covariance: [0.5, 0.1, 0.1, 0.4])
    let report = try checkLogDensity(
      gaussian.density(), at: [0.4, -1.1], step: 1e-2, key: RandomKey(seed: 72))
    #expect(report.gradientError < 1e-10)
    #expect(report.slope.isNaN)
  }

  // The negative control: a lost factor.
  @Test("a wrong gradient is seen")
  func wrong() throws {
    let report = try checkLogDensity(
      target(factor: 1.001), at: [0.4, -1.1], step: 1e-2, key: RandomKey(seed: 71))
    #expect(report.gradientError > 1e-4)
    #expect(abs(report.slope) < 0.5)
  }
}
