import CLAPACK
import Foundation

/// The algebra of N(μ, Σ), Σ = L Lᵀ, in whitened coordinates ξ: x = μ + L ξ.
extension DenseMetric {
  /// ln det Σ = 2 Σ ln L_ii.
  public var logDeterminant: Double {
    2 * (0..<dimension).reduce(0) { $0 + log(choleskyFactor[$1 * (dimension + 1)]) }
  }

  /// ξ = L⁻¹ d, forward substitution, D²/2.
  package func whitened(_ displacement: [Double]) -> [Double] {
    var whitened = displacement
    for i in 0..<dimension {
      let row = i * dimension
      var value = displacement[i]
      for j in 0..<i { value -= choleskyFactor[row + j] * whitened[j] }
      whitened[i] = value / choleskyFactor[row + i]
    }
    return whitened
  }

  /// d = L ξ, D²/2.
  package func displaced(_ whitened: [Double]) -> [Double] {
    (0..<dimension).map { i in
      let row = i * dimension
      var sum = 0.0
      for j in 0...i { sum += choleskyFactor[row + j] * whitened[j] }
      return sum
    }
  }

  /// Lᵀ g: a gradient in x as one in ξ, D²/2.
  package func whitenedGradient(_ gradient: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: dimension)
    for i in 0..<dimension {
      let row = i * dimension
      for j in 0...i { result[j] += choleskyFactor[row + j] * gradient[i] }
    }
    return result
  }

  /// L A⁻¹ Lᵀ for a precision A in whitened coordinates, D × D; nil when A is not positive definite.
  package func covariance(ofWhitenedPrecision precision: [Double]) -> DenseMetric? {
    DenseMetric(precision: precision, dimension: dimension).flatMap(unwhitened)
  }

  /// L⁻¹ S L⁻ᵀ for a symmetric S, D × D. O(D³).
  package func whitenedCovariance(_ covariance: [Double]) -> [Double] {
    precondition(covariance.count == dimension * dimension)
    var result = covariance
    let size = Int32(dimension)
    for (side, transpose) in [(CblasLeft, CblasNoTrans), (CblasRight, CblasTrans)] {
      cblas_dtrsm(
        CblasRowMajor, side, CblasLower, transpose, CblasNonUnit, size, size, 1, choleskyFactor,
        size, &result, size)
    }
    return result
  }

  /// L A Lᵀ for a covariance A = R Rᵀ in whitened coordinates: its factor is L R. O(D³).
  package func unwhitened(_ inner: DenseMetric) -> DenseMetric? {
    let d = dimension
    var factor = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for k in 0...i {
        let scale = choleskyFactor[i * d + k]
        for j in 0...k { factor[i * d + j] += scale * inner.choleskyFactor[k * d + j] }
      }
    }
    return DenseMetric(factor: factor, dimension: d)
  }
}
