import Foundation
import Randomness

@testable import Training

/// A known Σ = diag(s) + Fᵀ F, its residuals, and Σ as a dense matrix by a way of its own.
struct FactorModel {
  let truth: FactorAnalysis

  /// Standard deviations of 0.05 to 0.15; each factor has `strength` times the mean variance of an
  /// element in each element.
  init(dimension: Int, rank: Int, strength: Double, key: RandomKey) {
    var stream = key.stream()
    let variances = (0..<dimension).map { _ in
      let deviation = 0.05 + 0.1 * stream.uniform()
      return deviation * deviation
    }
    let mean = variances.reduce(0, +) / Double(dimension)
    let length = (strength * mean).squareRoot()
    truth = FactorAnalysis(
      variances: variances, factors: stream.normals(dimension * rank).map { length * $0 })
  }

  /// n × P. `scale`: what picture i is multiplied by.
  func residuals(_ count: Int, key: RandomKey, scale: (inout RandomStream) -> Double = { _ in 1 })
    -> [Float]
  {
    var stream = key.stream()
    let size = truth.dimension
    return (0..<count).flatMap { _ in
      let scores = stream.normals(truth.rank)
      let factor = scale(&stream)
      return (0..<size).map { element in
        var value = truth.variances[element].squareRoot() * stream.normal()
        for row in scores.indices { value += scores[row] * truth.factors[row * size + element] }
        return Float(factor * value)
      }
    }
  }
}

/// Σ, P×P row-major.
func dense(_ variances: [Double], _ factors: [Double]) -> [Double] {
  let size = variances.count
  var matrix = [Double](repeating: 0, count: size * size)
  for i in 0..<size {
    matrix[i * size + i] = variances[i]
    for start in stride(from: 0, to: factors.count, by: size) {
      for j in 0..<size { matrix[i * size + j] += factors[start + i] * factors[start + j] }
    }
  }
  return matrix
}

/// A⁻¹ B, P×P, and ln|A| of a positive definite A by elimination without pivots.
func solve(_ matrix: [Double], _ right: [Double], size: Int) -> ([Double], logDeterminant: Double) {
  var (a, b, logDeterminant) = (matrix, right, 0.0)
  let columns = right.count / size
  for pivot in 0..<size {
    let value = a[pivot * size + pivot]
    logDeterminant += log(value)
    for j in 0..<size { a[pivot * size + j] /= value }
    for j in 0..<columns { b[pivot * columns + j] /= value }
    for i in 0..<size where i != pivot {
      let factor = a[i * size + pivot]
      for j in 0..<size { a[i * size + j] -= factor * a[pivot * size + j] }
      for j in 0..<columns { b[i * columns + j] -= factor * b[pivot * columns + j] }
    }
  }
  return (b, logDeterminant)
}
