import Foundation
import Randomness
import Workers

@testable import Numerics
@testable import Sampling

/// A new pool: tests run side by side, and a pool serves one caller at a time.
var twoThreads: WorkerPool { WorkerPool(threads: 2) }

/// Z (0.2 N(μ_0, Σ_0) + 0.8 N(μ_1, Σ_1)), ln Z = 3.7, correlated, Σ_0 and Σ_1 unequal in shape and
/// volume, the means ten standard deviations of the mean covariance apart.
struct TwoModeTarget {
  static let logEvidence = 3.7
  let weights = [0.2, 0.8]
  let modes: [GaussianTarget]
  let metrics: [DenseMetric]
  var dimension: Int { modes[0].dimension }

  init(dimension: Int) {
    let first = GaussianTarget.correlated(dimension: dimension, seed: 5)
    let shape = GaussianTarget.correlated(dimension: dimension, seed: 6).covariance
    // Wider by up to a factor two in each direction of the coordinates, narrower in the last.
    let widths = (0..<dimension).map { 0.7 + 1.3 * Double($0 % 3) / 2 }
    let second = shape.indices.map {
      shape[$0] * widths[$0 / dimension] * widths[$0 % dimension]
    }
    let mean = zip(first.covariance, second).map { ($0 + $1) / 2 }
    let metric = DenseMetric(covariance: mean, dimension: dimension)!
    // A direction of whitened length ten.
    var stream = RandomKey(seed: 7).child("direction").stream()
    let normals = stream.normals(dimension)
    let length = dot(normals, normals).squareRoot()
    let shift = metric.displaced(normals.map { 10 * $0 / length })
    modes = [
      first,
      GaussianTarget(mean: zip(first.mean, shift).map { $0 + $1 }, covariance: second),
    ]
    metrics = modes.map { DenseMetric(covariance: $0.covariance, dimension: dimension)! }
  }

  var density: FunctionTarget {
    let d = dimension
    let constants = zip(weights, metrics).map { weight, metric in
      Self.logEvidence + log(weight) - 0.5 * Double(d) * log(2 * .pi)
        - (0..<d).reduce(0) { $0 + log(metric.choleskyFactor[$1 * (d + 1)]) }
    }
    let densities = modes.map { $0.density() }
    return FunctionTarget(dimension: d) { _, x, gradient in
      var other = gradient
      let a = constants[0] + densities[0].function(0, x, &gradient)
      let b = constants[1] + densities[1].function(0, x, &other)
      let total = logSumExp(a, b)
      let share = exp(a - total)
      for i in 0..<d { gradient[i] = share * gradient[i] + (1 - share) * other[i] }
      return total
    }
  }

  /// Guesses of the covariance that are wrong by a factor three in variance.
  var guesses: [DenseMetric] {
    metrics.map { DenseMetric(covariance: $0.covariance.map { 3 * $0 }, dimension: dimension)! }
  }

  func laplace() throws -> [LaplaceApproximation] {
    try laplaceApproximations(
      of: density,
      at: zip(modes, guesses).map { ExpansionPoint(position: $0.mean, metric: $1) },
      pool: twoThreads
    ).map { $0! }
  }
}

/// exp(η_i) skewed: with y = x, independent coordinates ln Gamma(shape, 1): density exp(a x − eˣ) over
/// Γ(a), mixed by a fixed matrix of determinant one. ln Z = D ln Γ(a) for the density as it stands.
func logGamma(dimension: Int, shape: Double) -> FunctionTarget {
  FunctionTarget(dimension: dimension) { _, x, gradient in
    // z_i = x_i + ½ x_{i−1}: a unit triangular map.
    var value = 0.0
    var slopes = [Double](repeating: 0, count: dimension)
    for i in 0..<dimension {
      let z = x[i] + (i > 0 ? 0.5 * x[i - 1] : 0)
      value += shape * z - exp(z)
      slopes[i] = shape - exp(z)
    }
    for i in 0..<dimension {
      gradient[i] = slopes[i] + (i + 1 < dimension ? 0.5 * slopes[i + 1] : 0)
    }
    return value
  }
}
