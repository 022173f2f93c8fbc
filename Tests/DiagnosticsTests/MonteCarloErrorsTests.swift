import Testing

@testable import Diagnostics

@Suite struct MonteCarloErrorsTests {
  // Fails when: the unbiased variance becomes the biased one; 4 is dropped; floor and ceil swap.
  @Test("Monte Carlo errors are ArviZ's", arguments: pinned)
  func errors(_ pin: Pinned) {
    let trace = pin.trace.values
    #expect(agree(MonteCarloErrors.ofMean(trace), pin.mean, 1e-6))
    #expect(agree(MonteCarloErrors.ofStandardDeviation(trace), pin.sd, 1e-6))
    #expect(agree(MonteCarloErrors.ofQuantile(trace, probability: 0.05), pin.quantile, 1e-6))
    #expect(agree(MonteCarloErrors.ofQuantile(trace, probability: 0.5), pin.median, 1e-6))
  }

  @Test("a trace that is not finite has no error")
  func notFinite() {
    let trace = [[1, 2, .nan, 3.0]]
    #expect(MonteCarloErrors.ofMean(trace).isNaN)
    #expect(MonteCarloErrors.ofStandardDeviation(trace).isNaN)
    #expect(MonteCarloErrors.ofQuantile(trace, probability: 0.5).isNaN)
  }
}
