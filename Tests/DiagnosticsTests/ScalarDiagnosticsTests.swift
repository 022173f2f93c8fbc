import Testing

@testable import Diagnostics

/// a and b agree to `tolerance`, relative; NaN and infinity agree with themselves alone.
func agree(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
  guard a.isFinite && b.isFinite else { return a == b || (a.isNaN && b.isNaN) }
  return abs(a - b) <= tolerance * max(abs(a), abs(b))
}

@Suite struct ScalarDiagnosticsTests {
  // Fails when: a 3/8 becomes 1/2; folding is left out (skewed, shifted); halves are not split; ties get
  // the first rank (ties); variances divide by n; a mean is rounded (constant chains that differ).
  @Test("R-hat is ArviZ's", arguments: pinned)
  func rHat(_ pin: Pinned) {
    #expect(agree(ScalarDiagnostics(pin.trace.values).rHat, pin.rHat, 1e-8))
  }

  // Fails when: the last even term is dropped or doubled; the sequence is not made monotone; the odd
  // middle draw is kept; the cap N log N is lost (antithetic); the tail takes x < q (ties).
  @Test("effective sample sizes are ArviZ's", arguments: pinned)
  func effectiveSampleSizes(_ pin: Pinned) {
    let result = ScalarDiagnostics(pin.trace.values)
    #expect(agree(result.bulkESS, pin.bulk, 1e-6))
    #expect(agree(result.tailESS, pin.tail, 1e-6))
  }

  // Fails when: the range check is dropped (0/0).
  @Test("constant chains have no R-hat and full size, as in ArviZ")
  func constant() {
    let result = ScalarDiagnostics(Array(repeating: Array(repeating: 1, count: 100), count: 4))
    #expect(result.rHat.isNaN)
    #expect(result.bulkESS == 400)
    #expect(result.tailESS == 400)
  }

  // Fails when: R̂ takes the smaller of the two.
  @Test("one stuck chain among moving ones is ArviZ's")
  func stuck() {
    var trace = Trace(seed: 11, chains: 4, draws: 100, phi: 0.3).values
    trace[2] = Array(repeating: 0.1, count: 100)
    let result = ScalarDiagnostics(trace)
    #expect(agree(result.rHat, 1.542021739558262, 1e-8))
    #expect(agree(result.bulkESS, 174.96308988558025, 1e-6))
    #expect(agree(result.tailESS, 211.7758784425451, 1e-6))
  }

  @Test("a draw that is not finite, or three draws, give NaN", arguments: [Double.nan, .infinity])
  func notFinite(_ value: Double) {
    var trace = Trace(seed: 11, chains: 4, draws: 100, phi: 0.3).values
    trace[2][3] = value
    let short = Trace(seed: 11, chains: 4, draws: 3, phi: 0.3).values
    for result in [ScalarDiagnostics(trace), ScalarDiagnostics(short)] {
      #expect(result.rHat.isNaN && result.bulkESS.isNaN && result.tailESS.isNaN)
    }
  }
}
