import Diagnostics
import Foundation
import Numerics
import Randomness
import Testing

@testable import Sampling

private let acceptance = CheesHamiltonianMonteCarlo.recommendedAcceptance

@Suite struct CheesHamiltonianMonteCarloTests {
  // The deviation of some 10,000 effective draws is known to 0.7 %.
  @Test("a shifted, correlated Gaussian has its mean and deviations")
  func gaussian() throws {
    let target = GaussianTarget.correlated(dimension: 8)
    let run = try runChains(
      target.density(), start: target.mean, chains: 16, kernel: CheesHamiltonianMonteCarlo(),
      options: SamplerOptions(draws: 2000, warmup: 300, targetAcceptance: acceptance), seed: 23)
    #expect(run.problems[0].divergences == 0)
    #expect(abs(run.problems[0].acceptance - acceptance) < 0.1)
    for i in 0..<8 {
      let trace = run.problems[0].draws.coordinate(i)
      expectMean(trace, target.mean[i], floor: 5000)
      let squares = trace.joined().reduce(0) { $0 + ($1 - target.mean[i]) * ($1 - target.mean[i]) }
      let ratio = squares / 32000 / target.covariance[9 * i]
      #expect(abs(ratio.squareRoot() - 1) < 0.02, "deviation \(i)")
    }
  }

  /// The longest path of the draws: T h with h next to 1.
  private func length(_ run: SamplingRun) -> Double {
    Double(run.problems[0].records[0].map(\.steps).max()!) * run.problems[0].stepSize
  }

  // On N(0, s² I) with the unit metric x' = x cos(t/s) + s sin(t/s) ξ, and ChEES is proportional to the
  // mean of sin²(T h/s) over h in (0, 1), ½ − sin(2T/s)/(4T/s), largest where tan(2T/s) = 2T/s: at
  // T = 2.25 s. Steps are 1.1 s. Fails when: the gradient's sign flips; T is not shared with the draws;
  // the mean of the iterates forgets none.
  @Test(
    "the trajectory becomes as long as the target is wide", arguments: [0.1, 1, 10], [0.2, 3.5])
  func adapts(_ deviation: Double, _ start: Double) throws {
    let variance = deviation * deviation
    let covariance = (0..<25).map { $0 % 6 == 0 ? variance : 0 }
    let target = GaussianTarget(mean: [1, 2, 3, 4, 5], covariance: covariance)
    let run = try runChains(
      target.density(), start: target.mean, spread: deviation, chains: 16,
      kernel: CheesHamiltonianMonteCarlo(trajectoryLength: start * deviation),
      options: SamplerOptions(
        draws: 64, warmup: 400, targetAcceptance: acceptance, metricAdaptation: .fixed))
    #expect((1.5...3).contains(length(run) / deviation))
  }

  // Fails when: each chain has its own Halton sequence, T or step size after warmup.
  @Test("all chains take as many steps, jittered from draw to draw")
  func together() throws {
    let target = GaussianTarget.correlated(dimension: 5)
    let run = try runChains(
      target.density(), start: target.mean, kernel: CheesHamiltonianMonteCarlo(),
      options: SamplerOptions(draws: 64, warmup: 200, targetAcceptance: acceptance))
    let steps = run.problems[0].records.map { $0.map(\.steps) }
    #expect(steps.allSatisfy { $0 == steps[0] })
    #expect(Set(steps[0]).count > 1)
  }

  // Fails when: digits are mirrored in more or fewer bits than they are scaled by.
  @Test("the Halton sequence is the textbook's")
  func sequence() {
    #expect((1...8).map(halton) == [0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875, 0.0625])
  }

  // One chain's mean is itself: nothing to learn from.
  @Test("a single chain keeps its length")
  func single() throws {
    let target = GaussianTarget(mean: [0], covariance: [1])
    let run = try runChains(
      target.density(), start: [0.5], chains: 1, kernel: CheesHamiltonianMonteCarlo(),
      options: SamplerOptions(
        draws: 64, warmup: 100, targetAcceptance: acceptance, metricAdaptation: .fixed))
    let longest = length(run)
    #expect(longest >= .pi * 63 / 64 && longest < .pi + run.problems[0].stepSize)
  }
}
