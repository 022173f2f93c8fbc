import Foundation
import Randomness
import Testing

@testable import Sampling

private func mode(_ center: [Double], _ covariance: [Double], height: Double)
  -> LaplaceApproximation
{
  LaplaceApproximation(
    mode: center, logDensityAtMode: height,
    metric: DenseMetric(covariance: covariance, dimension: center.count)!)
}

@Suite struct MixtureOfModesTests {
  // Fails when: weights are heights without volumes; ln det Σ loses its ½.
  @Test("modes become a mixture with the target's weights and evidence", arguments: [2, 10])
  func twoModes(_ dimension: Int) throws {
    let target = TwoModeTarget(dimension: dimension)
    let modes = distinctModes(try target.laplace())
    let mixture = GaussianMixture(modes)
    let heavy = mixture.weights.max()!
    #expect(abs(heavy - 0.8) < 0.03)
    let total = modes.map(\.logEvidence).reduce(-.infinity, logSumExp)
    #expect(abs(total - TwoModeTarget.logEvidence) < 0.1)
  }

  // The pair 0, 3 apart: deviations 1 and 2, so 3/√2.5 = 1.90 in the mean covariance, 3 in the one's and
  // 1.5 in the other's. Fails when: only one metric is asked; the lower one stays.
  @Test("near modes are one, the higher, from either side")
  func merging() {
    let narrow = mode([0], [1], height: 0)
    let wide = mode([3], [4], height: -1)
    for pair in [[narrow, wide], [wide, narrow]] {
      let close = distinctModes(pair)
      #expect(close.count == 1 && close[0].mode == [0])
      let apart = distinctModes(pair, distance: 1.8)
      #expect(apart.map(\.mode) == [[0], [3]])
    }
    let three = [wide, mode([9], [4], height: 2), narrow, mode([9.1], [1], height: 1)]
    #expect(distinctModes(three).map(\.mode) == [[9], [0]])
  }

  // Height e⁰ · volume 1 against e⁻¹ · 2. Heights of thousands of nats must not overflow.
  @Test("weights are height times volume")
  func weights() {
    for height in [0.0, -5000, 5000] {
      let mixture = GaussianMixture([
        mode([0], [1], height: height), mode([30], [4], height: height - 1),
      ])
      #expect(abs(mixture.weights[0] - 1 / (1 + 2 * exp(-1))) < 1e-12)
    }
  }

  @Test("a floor keeps sum and order")
  func floor() {
    let mixture = GaussianMixture([
      mode([0], [1], height: 0), mode([30], [1], height: -50), mode([60], [1], height: 1),
    ]).withWeights(atLeast: 0.1)
    #expect(abs(mixture.weights.reduce(0, +) - 1) < 1e-15)
    #expect(abs(mixture.weights[1] - 0.1) < 1e-12)
    #expect(mixture.weights[2] > mixture.weights[0])
  }

  // 20000 draws of two Gaussians, weighted equally, refit a mixture that has weights, means and widths
  // wrong. Errors 4/√n, and the pull of D old draws. Fails when: the mean stays; t's core
  // weights are left out (ν = 7: variance 7/5 too large).
  @Test("a refit finds the draws' moments", arguments: [Double.infinity, 7])
  func refit(_ nu: Double) {
    func mixture(_ share: Double, _ shift: Double, _ inflation: Double) -> GaussianMixture {
      GaussianMixture(
        components: [(share, -10.0), (1 - share, 10)].map { weight, center in
          .init(
            weight: weight, mean: [center + shift, 1],
            metric: DenseMetric(
              covariance: [2, 0.5, 0.5, 1].map { $0 * inflation }, dimension: 2)!)
        }, degreesOfFreedom: nu)
    }
    let truth = mixture(0.3, 0, 1)
    var stream = RandomKey(seed: 65).child("draws").stream()
    let count = 20_000
    let draws = (0..<count).flatMap { _ in truth.draw(from: &stream) }
    var fitted = mixture(0.5, 0.5, 2)
    // EM from a wrong scale converges by a factor of (ν+D)-like steps; four suffice.
    for _ in 0..<(nu.isFinite ? 8 : 1) {
      fitted = fitted.refitted(
        to: draws, weights: [Double](repeating: 1 / Double(count), count: count))
    }
    // A tenth of an equal share is kept back: 0.05 + 0.9 w.
    #expect(abs(fitted.weights[0] - (0.05 + 0.9 * 0.3)) < 0.015)
    for (a, b) in zip(fitted.components, truth.components) {
      #expect(abs(a.mean[0] - b.mean[0]) < 0.1 && abs(a.mean[1] - b.mean[1]) < 0.1)
      for (x, y) in zip(a.metric.covariance, b.metric.covariance) { #expect(abs(x - y) < 0.12) }
    }
  }

  // Draws only about the first component. Fails when: an empty component divides by zero.
  @Test("a component that owns nothing stays, with a small share")
  func empty() {
    let mixture = GaussianMixture([mode([0], [1], height: 0), mode([1000], [4], height: 0)])
    let draws = (0..<100).map { Double($0 % 10) / 10 }
    let refitted = mixture.refitted(to: draws, weights: [Double](repeating: 0.01, count: 100))
    #expect(refitted.components[1].mean == [1000])
    #expect(refitted.components[1].metric.covariance == [4])
    #expect(abs(refitted.weights[1] - 0.05) < 1e-12)
  }

  // Weights 2^i: halving toward 40 of 100. Fails when: they stay as they are.
  @Test("flattened weights are worth what was asked, in the same order")
  func flattening() {
    let logWeights = (0..<100).map { Double($0) * log(2) }
    let flat = flattened(logWeights, effectiveSize: 40)
    #expect(abs(1 / flat.reduce(0) { $0 + $1 * $1 } - 40) < 0.01)
    #expect(flat == flat.sorted() && abs(flat.reduce(0, +) - 1) < 1e-12)
    // Already worth as much: as they are.
    let mild = [0.0, 0.1, -.infinity, 0.2]
    let kept = flattened(mild, effectiveSize: 2)
    #expect(kept[2] == 0 && abs(kept[1] / kept[0] - exp(0.1)) < 1e-14)
  }

  // S = diag(1, 3), n = 9, D = 2: tr S² = 10, tr² S = 16, ρ = (0 · 10 + 16)/(9 (10 − 8)) = 8/9; toward 2 I.
  // Fails when: n + 1 is n; the trace is not divided by D.
  @Test("shrinkage is the formula's, and spares what draws prove")
  func shrinkage() {
    let small = shrunk([1, 0.0, 0, 3], dimension: 2, count: 9)
    for (a, b) in zip(small, [1 + 8.0 / 9, 0, 0, 3 - 8.0 / 9]) { #expect(abs(a - b) < 1e-14) }
    let large = shrunk([1, 0.5, 0.5, 3], dimension: 2, count: 1e9)
    for (a, b) in zip(large, [1, 0.5, 0.5, 3]) { #expect(abs(a - b) < 1e-7) }
    #expect(shrunk([4], dimension: 1, count: 3) == [4])
    #expect(shrunk([2, 0, 0, 2], dimension: 2, count: 3) == [2, 0, 0, 2])
  }
}
