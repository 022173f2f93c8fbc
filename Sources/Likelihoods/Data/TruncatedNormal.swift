import Foundation
import Numerics
import Randomness

extension RandomStream {
  /// An exact draw of a standard normal variable known to be below `t`, at any t.
  ///
  /// For t ≥ 0 normal draws are rejected (at least half are kept). Below, Z = −(a + E/α) with a = −t
  /// and E exponential is kept with probability exp(−(−Z − α)²/2), α = (a + √(a² + 4))/2: Robert,
  /// "Simulation of truncated normal variables", Statistics and Computing 5 (1995), proposition 2.3;
  /// at least 76 % are kept. The excess E/α is what is compared, so that nothing cancels far out.
  package mutating func normal(below t: Double) -> Double {
    if t >= 0 {
      while true {
        let value = normal()
        if value < t { return value }
      }
    }
    let a = -t
    let rate = 0.5 * (a + (a * a + 4).squareRoot())
    // a − α = −1/α by the equation that α solves, α² − aα − 1 = 0.
    while true {
      let excess = -log(uniformOpen()) / rate
      let gap = excess - 1 / rate
      if uniformOpen() < exp(-0.5 * gap * gap) { return t - excess }
    }
  }
}
