import Foundation
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

@Suite struct LaplaceApproximationTests {
  private let target = GaussianTarget.correlated(dimension: 5)
  private var covariance: DenseMetric {
    DenseMetric(covariance: target.covariance, dimension: 5)!
  }

  /// At a point off the mode, with a guess that is wrong by a factor three.
  private func approximation(polishingSteps: Int = 2) throws -> LaplaceApproximation {
    let guess = DenseMetric(covariance: target.covariance.map { 3 * $0 }, dimension: 5)!
    let start = zip(target.mean, covariance.displaced([0.5, -1, 0.2, 0, 1])).map { $0 + $1 }
    return try laplaceApproximations(
      of: target.density(), at: [ExpansionPoint(position: start, metric: guess)],
      polishingSteps: polishingSteps, pool: twoThreads)[0]!
  }

  // The density without its constant integrates to √det 2πΣ. One Newton step ends on the mode. Fails
  // when: ½ is lost before ln det Σ; the step is −Σ∇; polishing is skipped; the guess is returned
  // for Σ.
  @Test("on a Gaussian mode, covariance and evidence are exact")
  func gaussian() throws {
    let laplace = try approximation()
    #expect(laplace.fallback == nil)
    let difference = zip(laplace.mode, target.mean).map { $0 - $1 }
    #expect(covariance.squaredLength(of: difference) < 1e-16)
    for (a, b) in zip(laplace.metric.covariance, target.covariance) {
      #expect(abs(a - b) < 1e-9 * target.covariance.max()!)
    }
    // det Σ by elimination of the precision's factor, another way round.
    let precision = DenseMetric(covariance: target.precision, dimension: 5)!
    let expected = 2.5 * log(2 * .pi) - 0.5 * precision.logDeterminant
    #expect(abs(laplace.logEvidence - expected) < 1e-9)
    let start = try approximation(polishingSteps: 0).mode
    #expect(covariance.squaredLength(of: zip(start, target.mean).map { $0 - $1 }) > 1)
  }

  @Test("its density is the normalized Gaussian's")
  func density() throws {
    let laplace = try approximation()
    let mixture = GaussianMixture([laplace])
    var stream = RandomKey(seed: 61).child("draws").stream()
    for _ in 0..<20 {
      let x = laplace.draw(from: &stream)
      #expect(abs(laplace.logDensity(at: x) - mixture.logDensity(at: x)) < 1e-12)
    }
  }

  // 20000 independent draws: mean and every covariance within 4 standard errors. Fails when: L is
  // transposed; the mode is not added.
  @Test("draws are exact")
  func draws() throws {
    let laplace = try approximation()
    var stream = RandomKey(seed: 62).child("draws").stream()
    expectMoments(
      (0..<20_000).map { _ in laplace.draw(from: &stream) }, mean: target.mean,
      covariance: target.covariance)
  }

  // A saddle: ln p = −x² + y². Fails when: a negative eigenvalue is taken by its size; no reason is given.
  @Test("where the Hessian is not positive definite the metric stands in, and says so")
  func saddle() throws {
    let saddle = FunctionTarget(dimension: 2) { _, x, gradient in
      (gradient[0], gradient[1]) = (-2 * x[0], 2 * x[1])
      return -x[0] * x[0] + x[1] * x[1]
    }
    let metric = DenseMetric(covariance: [2, 0.5, 0.5, 1], dimension: 2)!
    let laplace = try laplaceApproximations(
      of: saddle, at: [ExpansionPoint(position: [0, 0], metric: metric)], pool: twoThreads)[0]!
    #expect(laplace.metric == metric)
    #expect(laplace.fallback?.hasPrefix("the curvature is -") == true)
  }

  // From z = −1, where 2 z − eᶻ is −2.4, Newton's step ends at 3.4 and −23. Fails when: a step that goes
  // down is kept.
  @Test("polishing never goes down", arguments: [1, 3])
  func polishing(_ steps: Int) throws {
    let target = logGamma(dimension: 2, shape: 2)
    let metric = DenseMetric(covariance: [1, 0, 0, 1], dimension: 2)!
    for start in [[-1, -0.5], [-6.0, -6], [2, 2]] {
      var gradient = start
      let before = target.function(0, start, &gradient)
      let laplace = try laplaceApproximations(
        of: target, at: [ExpansionPoint(position: start, metric: metric)], polishingSteps: steps,
        pool: twoThreads)[0]!
      #expect(laplace.logDensityAtMode >= before)
    }
  }
}

/// Mean and covariance of independent draws of a Gaussian within 4 standard errors.
func expectMoments(
  _ draws: [[Double]], mean: [Double], covariance: [Double], scale: Double = 1,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let d = mean.count
  var moments = RunningMoments(dimension: d, shape: .full)
  for draw in draws { moments.add(draw) }
  let count = Double(draws.count)
  for i in 0..<d {
    let error = (covariance[i * (d + 1)] / count).squareRoot()
    #expect(abs(moments.mean[i] - mean[i]) < 4 * error, sourceLocation: sourceLocation)
    for j in 0..<d {
      let product = covariance[i * (d + 1)] * covariance[j * (d + 1)]
      let cross = covariance[i * d + j]
      // `scale`: the kurtosis of heavier tails.
      let error = scale * ((product + cross * cross) / count).squareRoot()
      let estimate = moments.scatter[i * d + j] / (count - 1)
      #expect(abs(estimate - cross) < 4 * error, sourceLocation: sourceLocation)
    }
  }
}
