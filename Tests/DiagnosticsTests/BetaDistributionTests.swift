import Testing

@testable import Diagnostics
@testable import Numerics

@Suite struct BetaDistributionTests {
  // Quantiles of SciPy 1.17.1's beta.ppf. Fails when: a and b change places.
  @Test(
    "the beta quantile is SciPy's",
    arguments: [
      (0.1586553, 21.5, 399, 0.04046087869813164),
      (0.8413447, 2.3, 40, 0.08723119925203629),
      (0.5, 1, 1, 0.5),
      (0.1586553, 3000, 57000, 0.049110285875263025),
    ] as [(Double, Double, Double, Double)])
  func quantile(_ p: Double, _ a: Double, _ b: Double, _ x: Double) {
    #expect(agree(betaQuantile(p, a: a, b: b), x, 1e-11))
  }

  // I_x(1, 1) = x; I_x(2, 1) = x²; I_x(1, 3) = 1 − (1 − x)³. Fails when: the reflection is lost.
  @Test("the incomplete beta function has its closed forms", arguments: [0, 0.1, 0.5, 0.93, 1.0])
  func closedForms(_ x: Double) {
    #expect(abs(regularizedBeta(x, a: 1, b: 1) - x) < 1e-14)
    #expect(abs(regularizedBeta(x, a: 2, b: 1) - x * x) < 1e-14)
    #expect(abs(regularizedBeta(x, a: 1, b: 3) - (1 - (1 - x) * (1 - x) * (1 - x))) < 1e-14)
  }
}
