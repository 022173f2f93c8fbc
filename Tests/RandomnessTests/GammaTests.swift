import Foundation
import Randomness
import Testing

@Suite struct GammaTests {
  // E x = a, Var x = a, E x³ = a (a+1) (a+2), E ln x = ψ(a); each |z| < 4 with the sample's own error.
  // Seen to fail: ⅓ left out of d; the boost U^(1/a) left out; ½ n² left out of the acceptance.
  @Test(
    "gamma draws have the distribution's moments",
    arguments: [
      // ψ(a) at 17 digits.
      (0.5, -1.9635100260214235), (1, -0.5772156649015329), (3.5, 1.1031566406452432),
      (20, 2.9705239922421490),
    ])
  func moments(_ shape: Double, _ digamma: Double) {
    var stream = RandomKey(seed: 71).child("gamma").stream()
    let draws = (0..<100_000).map { _ in stream.gamma(shape: shape) }
    func check(_ expected: Double, _ function: (Double) -> Double) {
      let values = draws.map(function)
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      #expect(abs(mean - expected) < 4 * (variance / count).squareRoot())
    }
    check(shape) { $0 }
    check(shape) { ($0 - shape) * ($0 - shape) }
    check(shape * (shape + 1) * (shape + 2)) { $0 * $0 * $0 }
    check(digamma, log)
  }
}
