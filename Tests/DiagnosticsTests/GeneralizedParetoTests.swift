import Foundation
import Testing

@testable import Diagnostics
@testable import Numerics

/// Excesses of known shape and scale 1 from the traces' generator: ((1 − u)^(−k) − 1)/k.
func paretoExcesses(seed: UInt64, count: Int, shape: Double) -> [Double] {
  Trace(seed: seed, chains: 1, draws: count, phi: 0).values[0].map {
    (pow(1 - ($0 + 0.5), -shape) - 1) / shape
  }
}

@Suite struct GeneralizedParetoTests {
  // References: a NumPy 2.4.6 script of the source's equations, which agrees with ArviZ 0.23.4 to 1e-14.
  // Fails when: the pull towards ½ is left out; a quartile is the median; the grid loses its 1/max.
  @Test(
    "the fit is Zhang and Stephens' with the pull of Vehtari et al.",
    arguments: [
      (1, 200, 0.2, 0.16259929368555606, 0.9689574397842378),
      (2, 1000, 0.5, 0.47052520744136955, 1.0422160267197904),
      (3, 40, 0.9, 0.5286072768638235, 1.157853346500601),
      (4, 500, -0.3, -0.26427070758108584, 0.9515527756438573),
      (5, 5, 0.5, 0.447135930858514, 0.9695603582214068),
    ] as [(UInt64, Int, Double, Double, Double)])
  func parity(_ seed: UInt64, _ count: Int, _ shape: Double, _ fitted: Double, _ scale: Double) {
    let fit = GeneralizedPareto(
      fitting: paretoExcesses(seed: seed, count: count, shape: shape).sorted())
    #expect(agree(fit.shape, fitted, 1e-12))
    #expect(agree(fit.scale, scale, 1e-12))
  }

  // The maximum-likelihood estimate has variance (1 + k)²/n (Smith 1987), the posterior mean nearly so:
  // four errors, and the pull by 10 (½ − k)/n.
  @Test("known shapes are found", arguments: [-0.3, 0.2, 0.7, 1.5])
  func known(_ shape: Double) {
    let count = 20_000
    let fit = GeneralizedPareto(
      fitting: paretoExcesses(seed: 21, count: count, shape: shape).sorted())
    let error = (1 + shape) / Double(count).squareRoot()
    #expect(abs(fit.shape - shape) < 4 * error + 10 * abs(0.5 - shape) / Double(count))
  }

  // Closed forms: k = 1 is x = σ p/(1 − p), k → 0 is −σ ln(1 − p).
  @Test("quantiles are the closed form's, also about k = 0")
  func quantiles() {
    #expect(agree(GeneralizedPareto(shape: 1, scale: 2).quantile(0.75), 6, 1e-15))
    for shape in [0, 1e-13, 1e-9, -1e-9] {
      let value = GeneralizedPareto(shape: shape, scale: 3).quantile(0.9)
      #expect(agree(value, 3 * log(10), 1e-8))
    }
  }
}
