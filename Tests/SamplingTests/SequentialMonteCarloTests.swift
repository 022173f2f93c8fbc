import Diagnostics
import Foundation
import Probability
import Randomness
import Testing
import Workers

@testable import Sampling

private func run(
  _ density: TemperedTarget, islands: Int = 4, particles: Int = 256, deviation: Double = 1,
  problems: [Int] = [0], options: SequentialMonteCarloOptions = .init(), threads: Int = 2,
  seed: UInt64 = 41
) throws -> SequentialMonteCarloRun {
  try sampleSequentially(
    density,
    problems: problems.map {
      let key = RandomKey(seed: seed).child($0)
      return ParticleProblem(
        index: $0,
        islands: normalDraws(
          islands: islands, particles: particles, dimension: density.dimension,
          deviation: deviation, key: key), key: key)
    }, options: options, pool: WorkerPool(threads: threads))
}

/// Noise of deviations 0.1 to 1 and correlations of both signs, data up to 2 from the prior's mean.
private func linearGaussian(_ dimension: Int, scale: Double = 0.1) -> LinearGaussianTarget {
  let noise = GaussianTarget.correlated(dimension: dimension, seed: 9)
  return LinearGaussianTarget(
    data: (0..<dimension).map { 2 * sin(1 + 2 * Double($0)) },
    covariance: noise.covariance.map { scale * $0 + 0 })
}

@Suite struct SequentialMonteCarloTests {
  @Test("PROBE", arguments: [40])
  func probe(_ d: Int) throws {
    for (fraction, bound, length, acc) in [(0.5, 0.3, 1.57, 0.8), (0.5, 0.1, 1.57, 0.8), (0.5, 0.3, 1.57, 0.95), (0.5, 0.02, 1.57, 0.8)] {
      for particles in [256, 1024] {
        let target = linearGaussian(d)
        let result = try run(target.density, particles: particles, options: .init(effectiveFraction: fraction, targetAcceptance: acc, trajectoryLength: length, correlationBound: bound))
        let p = result.problems[0]
        print("PROBE d", d, "frac", fraction, bound, acc, "n", 4 * particles, "grad/particle", Double(result.gradients) / Double(4 * particles), "levels", p.levels.count, "logZ err", p.logEvidence - target.logEvidence, "se", p.logEvidenceError!, "anc", p.ancestralSampleSize, "s", result.seconds)
      }
    }
  }
}
