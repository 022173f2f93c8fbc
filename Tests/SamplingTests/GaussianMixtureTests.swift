import Foundation
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

private let tails: [Double] = [.infinity, 7, 2.5]

/// Weights 0.3 and 0.7 after normalization; correlated, unequal.
private func mixture(_ dimension: Int, degreesOfFreedom: Double) -> GaussianMixture {
  let narrow = dimension == 1 ? [0.25] : [0.25, 0.1, 0.1, 0.5]
  let wide = dimension == 1 ? [1.5] : [1.5, -0.6, -0.6, 1]
  return GaussianMixture(
    components: [
      .init(
        weight: 3, mean: Array([1, -0.5].prefix(dimension)),
        metric: DenseMetric(covariance: narrow, dimension: dimension)!),
      .init(
        weight: 7, mean: Array([-2, 1].prefix(dimension)),
        metric: DenseMetric(covariance: wide, dimension: dimension)!),
    ], degreesOfFreedom: degreesOfFreedom)
}

@Suite struct GaussianMixtureTests {
  // ∫ q over x = sinh t, which reaches 10⁸ scales out; the trapezoidal rule is exact to rounding for such
  // integrands. Fails when: ½ ln det Σ is lost; Γ(½(ν + D)) loses D; weights are not normalized.
  @Test("the density integrates to one in one dimension", arguments: tails)
  func integral1(_ nu: Double) {
    let q = mixture(1, degreesOfFreedom: nu)
    let step = 0.02
    let sum = (-1500...1500).reduce(0.0) { sum, i in
      let t = step * Double(i)
      return sum + step * cosh(t) * exp(q.logDensity(at: [sinh(t)]))
    }
    #expect(abs(sum - 1) < 1e-9)
  }

  // The same in both coordinates, ν = 7 and Gaussian: tails beyond sinh 10 hold below 1e-9.
  @Test("the density integrates to one in two dimensions", arguments: [Double.infinity, 7])
  func integral2(_ nu: Double) {
    let q = mixture(2, degreesOfFreedom: nu)
    let step = 0.05
    let nodes = (-160...160).map { step * Double($0) }
    var sum = 0.0
    for t in nodes {
      for s in nodes {
        sum += step * step * cosh(t) * cosh(s) * exp(q.logDensity(at: [sinh(t), sinh(s)]))
      }
    }
    #expect(abs(sum - 1) < 1e-6)
  }

  // t of ν degrees has covariance ν/(ν − 2) Σ; its fourth moments are those of a Gaussian times
  // (ν − 2)/(ν − 4). Fails when: χ² loses its 2; its ⅓ is lost in the gamma draws.
  @Test("draws of a component have its mean and covariance", arguments: [Double.infinity, 9])
  func draws(_ nu: Double) {
    let q = mixture(2, degreesOfFreedom: nu)
    var stream = RandomKey(seed: 63).child("draws").stream()
    let inflation = nu.isFinite ? nu / (nu - 2) : 1
    let kurtosis = nu.isFinite ? (3 * (nu - 2) / (nu - 4) - 1) / 2 : 1
    for component in 0..<2 {
      let draws = (0..<30_000).map { _ in q.draw(component: component, from: &stream) }
      expectMoments(
        draws, mean: q.components[component].mean,
        covariance: q.components[component].metric.covariance.map { inflation * $0 },
        scale: kurtosis.squareRoot())
    }
  }

  // Each of 40 cells about the modes holds its share: E 1{x in cell}, |z| < 4, against the density
  // integrated by midpoints. Fails when: components are drawn with equal weights.
  @Test("draws have the density", arguments: tails)
  func drawsHaveDensity(_ nu: Double) {
    let q = mixture(1, degreesOfFreedom: nu)
    var stream = RandomKey(seed: 64).child("draws").stream()
    let count = 40_000
    var cells = [Int](repeating: 0, count: 40)
    for _ in 0..<count {
      let cell = ((q.draw(from: &stream)[0] + 6) / 0.25).rounded(.down)
      if (0..<40).contains(cell) { cells[Int(cell)] += 1 }
    }
    for (cell, found) in cells.enumerated() {
      let share = (0..<100).reduce(0.0) {
        $0 + exp(q.logDensity(at: [-6 + 0.25 * (Double(cell) + (Double($1) + 0.5) / 100)])) * 0.0025
      }
      let error = (share * (1 - share) * Double(count)).squareRoot()
      #expect(abs(Double(found) - share * Double(count)) < 4 * max(error, 1))
    }
  }

  // Fails when: the weight is left out of a responsibility.
  @Test("responsibilities are Bayes' rule")
  func responsibilities() {
    for nu in tails {
      let q = mixture(2, degreesOfFreedom: nu)
      for x in [[0.0, 0], [-0.6, 0.2], [3, -1]] {
        let logs = q.components.indices.map { k in
          log(q.weights[k])
            + GaussianMixture(components: [q.components[k]], degreesOfFreedom: nu).logDensity(at: x)
        }
        let total = logSumExp(logs[0], logs[1])
        for (a, b) in zip(q.responsibilities(at: x), logs) {
          #expect(abs(a - exp(b - total)) < 1e-14)
        }
        #expect(q.mostProbableComponent(at: x) == (logs[0] > logs[1] ? 0 : 1))
        #expect(abs(q.logDensity(at: x) - total) < 1e-14)
      }
    }
    #expect(mixture(2, degreesOfFreedom: 7).weights == [0.3, 0.7])
  }

  @Test("a component is found by its share; none of share zero")
  func component() {
    #expect(index(of: 0, in: [0, 0.5, 0, 0.5, 0]) == 1)
    #expect(index(of: 0.5, in: [0, 0.5, 0, 0.5, 0]) == 3)
    #expect(index(of: 0.999_999, in: [0, 0.5, 0, 0.5, 0]) == 3)
    #expect(index(of: 0.9, in: [2, 2]) == 1)
  }
}
