import Foundation
import Randomness
import Testing

@testable import Sampling

@Suite struct ResamplingTests {
  // Fails when: the uniform is added to the weights; the last point is lost to rounding.
  @Test("every particle has the children that its weight says, up to one")
  func counts() {
    var stream = RandomKey(seed: 11).child("weights").stream()
    for trial in 0..<200 {
      let weights = (0..<17).map { $0 == trial % 17 ? 0 : -log(stream.uniformOpen()) }
      let total = weights.reduce(0, +)
      let uniform = trial == 0 ? 0 : trial == 1 ? 1 - 0x1p-53 : stream.uniform()
      let ancestors = systematicAncestors(weights: weights, uniform: uniform)
      #expect(ancestors.count == 17 && ancestors == ancestors.sorted())
      for (index, weight) in weights.enumerated() {
        let expected = 17 * weight / total
        let children = Double(ancestors.count { $0 == index })
        #expect(children > expected - 1 && children < expected + 1)
      }
    }
  }

  // Over a grid of u the mean number of children is N W to the grid's width. Fails when: u is not used.
  @Test("the mean number of children is the weight's")
  func unbiased() {
    let weights = [0.05, 0.3, 0.0, 0.45, 0.2]
    var children = [0.0, 0, 0, 0, 0]
    for step in 0..<1000 {
      for ancestor in systematicAncestors(weights: weights, uniform: (Double(step) + 0.5) / 1000) {
        children[ancestor] += 1e-3
      }
    }
    for (count, weight) in zip(children, weights) { #expect(abs(count - 5 * weight) < 2e-3) }
  }

  // Weights 1, ½, 0 and 1 of log likelihoods −1, −1 − ln 2, −∞, −1 at a step of one.
  @Test("weights, their mean and effective number are the definition's")
  func weights() {
    let values: [Double] = [-1, -1 - log(2.0), -.infinity, -1]
    let result = ImportanceWeights(logLikelihoods: values[...], step: 1)
    #expect(zip(result.weights, [1, 0.5, 0, 1]).allSatisfy { abs($0 - $1) < 1e-15 })
    #expect(abs(result.logMean - (log(2.5 / 4) - 1)) < 1e-15)
    #expect(abs(result.effectiveSampleSize - 6.25 / 2.25) < 1e-14)
  }

  // Fails when: particles without likelihood count as to be kept; bisection goes the wrong way; the scale
  // of the likelihood matters.
  @Test("the next temperature leaves the fraction effective", arguments: [1.0, 1e4, 1e9])
  func fraction(_ scale: Double) {
    var stream = RandomKey(seed: 12).child("likelihoods").stream()
    let islands = (0..<3).map { _ in
      (0..<200).map { $0 % 10 == 0 ? -Double.infinity : 10 * scale * stream.normal() }[...]
    }
    for fraction in [0.3, 0.5, 0.9] {
      let next = nextInverseTemperature(after: 0.25, islands: islands, fraction: fraction)
      #expect(next > 0.25 && next < 1)
      let effective = islands.reduce(0) {
        $0 + ImportanceWeights(logLikelihoods: $1, step: next - 0.25).effectiveSampleSize
      }
      #expect(abs(effective / 540 - fraction) < 2e-3)
    }
    #expect(
      nextInverseTemperature(after: 0.25, islands: [[0, 0, -.infinity]], fraction: 0.99) == 1)
  }
}
