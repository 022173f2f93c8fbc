import Foundation
import Testing

@testable import Diagnostics
@testable import Numerics

@Suite struct NormalScoresTests {
  // Φ⁻¹ at p, 17 digits, from SciPy 1.17.1's norm.ppf. Fails when: Halley's correction loses its ½ and
  // the loop its other iterations; the sign of the upper half is lost.
  @Test(
    "the normal quantile is right to a few ulps",
    arguments: [
      (1e-12, -7.034483825301131),
      (1e-06, -4.753424308822899),
      (7.8e-05, -3.7813183990738155),
      (0.001, -3.090232306167813),
      (0.02425, -1.972961051311885),
      (0.0999999, -1.2815521353507942),
      (0.1, -1.2815515655446004),
      (0.25, -0.6744897501960817),
      (0.4999, -0.0002506628300880075),
      (0.5, 0.0),
      (0.75, 0.6744897501960817),
      (0.999, 3.090232306167813),
      (0.999922, 3.7813183990737436),
    ] as [(Double, Double)])
  func quantile(_ p: Double, _ x: Double) {
    #expect(abs(normalQuantile(p) - x) <= 4e-15 * max(1, abs(x)))
  }
}
