import Foundation
import Randomness
import Testing

@testable import Sampling

@Suite struct DualAveragingTests {
  // Acceptance e^(−ε) + noise: the root is −log(target). Fails when: the error's sign flips; the last
  // iterate is returned for the average (its noise is larger).
  @Test("the averaged step finds the root of a noisy acceptance", arguments: [0.6, 0.8, 0.95])
  func root(_ target: Double) {
    var stream = RandomKey(seed: 41).child("noise").stream()
    var adaptation = DualAveraging(stepSize: 1, target: target)
    for _ in 0..<3000 {
      let acceptance = exp(-adaptation.stepSize) + 0.05 * stream.normal()
      adaptation.update(acceptance: acceptance)
    }
    #expect(abs(exp(-adaptation.averagedStepSize) - target) < 0.01)
  }

  // Algorithm 5 by hand: μ = log 10, H = (0.8 − 0.5)/11, log ε = μ − H/0.05, log ε̄ = log ε.
  @Test("the first update is the paper's")
  func first() {
    var adaptation = DualAveraging(stepSize: 1, target: 0.8)
    adaptation.update(acceptance: 0.5)
    let expected = log(10) - (0.3 / 11) / 0.05
    #expect(abs(log(adaptation.stepSize) - expected) < 1e-14)
    #expect(abs(log(adaptation.averagedStepSize) - expected) < 1e-14)
  }

  // The mean over chains after warmup; the settling phase has 50 iterations of 8 chains. Fails when: the
  // restart keeps γ = 0.05 (acceptance 0.78 for 0.65).
  @Test("warmup reaches the target acceptance", arguments: [0.65, 0.8, 0.9], kernels.indices)
  func reached(_ acceptance: Double, _ kernel: Int) throws {
    let target = GaussianTarget.correlated(dimension: 20)
    let run = try runChains(
      target.density(), start: target.mean, chains: 8, kernel: kernels[kernel],
      options: SamplerOptions(draws: 200, warmup: 400, targetAcceptance: acceptance))
    #expect(abs(run.problems[0].acceptance - acceptance) < 0.07)
  }
}
