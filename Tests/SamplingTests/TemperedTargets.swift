import Foundation
import Probability
import Randomness

@testable import Numerics
@testable import Sampling

/// prior + β · likelihood of functions of one position.
struct TemperedTarget: TemperedLogDensity {
  let prior: FunctionTarget
  let likelihood: FunctionTarget
  var dimension: Int { prior.dimension }
  var problemCount: Int { likelihood.problemCount }

  func tempered(_ inverseTemperature: Double) -> any LogDensity {
    let (prior, likelihood) = (prior, likelihood)
    return FunctionTarget(dimension: dimension, problemCount: problemCount) {
      problem, x, gradient in
      var value = prior.function(problem, x, &gradient)
      guard inverseTemperature > 0 else { return value }
      var slope = gradient
      value += inverseTemperature * likelihood.function(problem, x, &slope)
      for k in x.indices { gradient[k] += inverseTemperature * slope[k] }
      return value
    }
  }

  func makeEvaluator(problems: [Int]) throws -> any LogDensityEvaluator {
    try tempered(1).makeEvaluator(problems: problems)
  }
}

/// N(0, s² I), with its constants.
func normalPrior(dimension: Int, deviation: Double = 1, problems: Int = 1) -> FunctionTarget {
  FunctionTarget(dimension: dimension, problemCount: problems) { _, x, gradient in
    var value = -Double(dimension) * log(deviation * (2 * Double.pi).squareRoot())
    for k in 0..<dimension {
      gradient[k] = -x[k] / (deviation * deviation)
      value += 0.5 * x[k] * gradient[k]
    }
    return value
  }
}

/// x ~ N(0, I), y | x ~ N(x, S), all in closed form.
///
///     posterior: precision I + S⁻¹, mean Σ S⁻¹ y;  evidence N(y; 0, I + S)
struct LinearGaussianTarget {
  let density: TemperedTarget
  let posterior: GaussianTarget
  let logEvidence: Double

  init(data: [Double], covariance: [Double]) {
    let d = data.count
    let noise = GaussianTarget(mean: data, covariance: covariance)
    let logConstant = logNormalConstant(covariance, dimension: d)
    let unnormalized = noise.density()
    density = TemperedTarget(
      prior: normalPrior(dimension: d),
      likelihood: FunctionTarget(dimension: d) { problem, x, gradient in
        unnormalized.function(problem, x, &gradient) + logConstant
      })
    var (precision, marginal) = (noise.precision, covariance)
    for i in 0..<d {
      precision[i * (d + 1)] += 1
      marginal[i * (d + 1)] += 1
    }
    let metric = DenseMetric(precision: precision, dimension: d)!
    var (weighted, mean) = (data, data)
    multiplySymmetric(noise.precision, data, into: &weighted)
    metric.velocity(of: weighted, into: &mean)
    posterior = GaussianTarget(mean: mean, covariance: metric.covariance)
    logEvidence =
      logNormalConstant(marginal, dimension: d) - 0.5
      * DenseMetric(covariance: marginal, dimension: d)!.squaredLength(of: data)
  }
}

/// −½ ln det 2πΣ.
func logNormalConstant(_ covariance: [Double], dimension: Int) -> Double {
  let factor = DenseMetric(covariance: covariance, dimension: dimension)!.choleskyFactor
  return (0..<dimension).reduce(-0.5 * Double(dimension) * log(2 * .pi)) {
    $0 - log(factor[$1 * (dimension + 1)])
  }
}

/// Draws of N(0, s² I), islands × particles × D.
func normalDraws(
  islands: Int, particles: Int, dimension: Int, deviation: Double = 1, key: RandomKey
) -> [[[Double]]] {
  (0..<islands).map { island in
    var stream = key.child("prior").child(island).stream()
    return (0..<particles).map { _ in (0..<dimension).map { _ in deviation * stream.normal() } }
  }
}
