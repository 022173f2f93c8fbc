import Diagnostics
import Numerics
import Randomness
import Testing

@Suite struct BootstrapTests {
  /// The bootstrap's variance of a mean is s²(n − 1)/n² exactly; over 1,000 resamples its root scatters by
  /// 1/√2000. Fails when: each item is drawn once, or the variance is handed out for its root.
  @Test("the error of a mean is s/√n, and that of a constant 0")
  func mean() {
    var stream = RandomKey(seed: 4).stream()
    let values = (0..<400).map { _ in 100 + 3 * stream.normal() }
    let errors = Bootstrap.standardErrors(count: 400, key: RandomKey(seed: 5)) { times in
      [zip(values, times).reduce(0) { $0 + $1.0 * Double($1.1) } / 400, 7]
    }
    let centre = values.reduce(0, +) / 400
    let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    let expected = squares.squareRoot() / 400
    #expect(abs(errors[0] / expected - 1) < 4 / 2000.0.squareRoot(), "\(errors[0]) \(expected)")
    #expect(errors[1] == 0)
    let again = Bootstrap.standardErrors(count: 400, key: RandomKey(seed: 5)) { times in
      [zip(values, times).reduce(0) { $0 + $1.0 * Double($1.1) } / 400]
    }
    #expect(again[0] == errors[0])
  }

  @Test("each resample holds as many items as there are")
  func counts() {
    _ = Bootstrap.standardErrors(count: 30, resamples: 20, key: RandomKey(seed: 6)) { times in
      #expect(times.count == 30 && times.reduce(0, +) == 30)
      return [0]
    }
  }
}
