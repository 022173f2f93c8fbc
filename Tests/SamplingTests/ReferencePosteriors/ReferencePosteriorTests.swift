import Diagnostics
import Foundation
import LawCheckers
import Numerics
import Probability
import Randomness
import Testing

@testable import Sampling

/// A kernel with the acceptance that suits it.
private let samplers: [(kernel: any MarkovKernel, acceptance: Double)] = [
  (NoUTurnSampler(), 0.8), (HamiltonianMonteCarlo(), 0.8),
  (CheesHamiltonianMonteCarlo(), CheesHamiltonianMonteCarlo.recommendedAcceptance),
]

@Suite struct ReferencePosteriorTests {
  // Differences of order h⁴ stand above the rounding 1e-16 · |value|/h; the values reach 2,000 nats.
  // Fails when: a Jacobian's slope is lost.
  @Test("gradients are the slopes", arguments: ReferencePosterior.all)
  func gradients(_ posterior: ReferencePosterior) throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      var stream = RandomKey(seed: seed).child("position").stream()
      let position = posterior.start.map { $0 + 0.1 * stream.normal() }
      let report = try checkLogDensity(
        posterior.density, at: position, step: 1e-3, key: RandomKey(seed: 100 + seed))
      #expect(report.gradientError < 1e-7, "seed \(seed)")
    }
  }

  // Means within 0.05 standard deviations, and within four standard errors of both. Fails when: a
  // Jacobian is left out; acceptance, turning or the adapted length spoil the invariance.
  @Test("means are the published ones", arguments: ReferencePosterior.all, samplers.indices)
  func means(_ posterior: ReferencePosterior, _ sampler: Int) throws {
    let run = try runChains(
      posterior.density, start: posterior.start, spread: 0.05, kernel: samplers[sampler].kernel,
      options: SamplerOptions(
        draws: posterior.draws, warmup: 300,
        targetAcceptance: posterior.acceptance ?? samplers[sampler].acceptance), seed: 6)
    let draws = run.problems[0].draws
    let values = (0..<draws.chains).map { chain in
      (0..<draws.draws).map { posterior.quantities(Array(draws.position(chain: chain, draw: $0))) }
    }
    for (index, reference) in posterior.references.enumerated() {
      let trace = values.map { $0.map { $0[index] } }
      let mean = trace.joined().reduce(0, +) / Double(draws.chains * draws.draws)
      let error = MonteCarloErrors.ofMean(trace)
      let comment: Comment = "\(reference.name): \(mean), \(reference.mean), error \(error)"
      #expect(abs(mean - reference.mean) <= 0.05 * reference.deviation, comment)
      #expect(abs(mean - reference.mean) < 4 * hypot(error, reference.standardError), comment)
    }
  }
}
