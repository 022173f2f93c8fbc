import CLAPACK
import Foundation
import Numerics

/// The Fréchet distance of two Gaussians (Dowson and Landau, J. Multivariate Anal. 12, 1982, eq. 4):
/// ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), the square of the 2-Wasserstein distance, in squared units of
/// the coordinates. Between the moments of two sets of features it measures how differently the sets are
/// distributed, as far as two moments tell.
public enum FrechetDistance {
  /// Cost O(D³). With R = Σ₁^½, symmetric, R Σ₂ R has the eigenvalues of Σ₁Σ₂, so that
  /// tr (Σ₁Σ₂)^½ = Σ √λ(R Σ₂ R); eigenvalues that rounding makes negative count as 0.
  /// - Precondition: the same D; covariances are symmetric, D×D, and finite.
  public static func between(_ first: GaussianMoments, _ second: GaussianMoments) -> Double {
    let size = first.dimension
    precondition(second.dimension == size)
    let root = squareRoot(first.covariance, size)
    let inner = product(product(root, second.covariance, size), root, size)
    let (values, _) = eigen(inner, size, wantsVectors: false)
    let mixed = values.reduce(0) { $0 + max($1, 0).squareRoot() }
    var distance = -2 * mixed
    for index in 0..<size {
      let shift = first.mean[index] - second.mean[index]
      let diagonal = index * size + index
      distance += shift * shift + first.covariance[diagonal] + second.covariance[diagonal]
    }
    // A sum of squares; equal moments leave rounding of either sign.
    return max(distance, 0)
  }

  /// The distance of two sets of rows and, for each group g, that of the sets without their groups g.
  /// - Precondition: as many groups in both.
  public static func between(_ first: GroupedMoments, _ second: GroupedMoments) -> JackknifeEstimate
  {
    precondition(first.groupCount == second.groupCount)
    return JackknifeEstimate(
      value: between(first.moments(), second.moments()),
      replicates: (0..<first.groupCount).map {
        between(first.moments(without: $0), second.moments(without: $0))
      })
  }

  /// The symmetric square root V diag(√λ) Vᵀ.
  private static func squareRoot(_ matrix: [Double], _ size: Int) -> [Double] {
    let (values, vectors) = eigen(matrix, size, wantsVectors: true)
    // LAPACK leaves eigenvectors as columns, that is, as rows of the row-major reading.
    var scaled = vectors
    for row in 0..<size {
      let root = max(values[row], 0).squareRoot()
      for column in 0..<size { scaled[row * size + column] *= root }
    }
    var result = [Double](repeating: 0, count: size * size)
    let order = Int32(size)
    cblas_dgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, order, order, order, 1, vectors, order, scaled,
      order,
      0, &result, order)
    return result
  }

  private static func product(_ a: [Double], _ b: [Double], _ size: Int) -> [Double] {
    var result = [Double](repeating: 0, count: size * size)
    let order = Int32(size)
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, order, order, order, 1, a, order, b, order, 0,
      &result, order)
    return result
  }

  /// Eigenvalues in rising order and, if wanted, unit eigenvectors, one a row.
  private static func eigen(
    _ matrix: [Double], _ size: Int, wantsVectors: Bool
  ) -> (values: [Double], vectors: [Double]) {
    var vectors = matrix
    var values = [Double](repeating: 0, count: size)
    let status = LAPACKE_dsyev(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: wantsVectors ? "V" : "N")), CChar(UInt8(ascii: "U")),
      Int32(size), &vectors, Int32(size), &values)
    precondition(status == 0, "a finite symmetric matrix has eigenvectors")
    return (values, vectors)
  }
}

/// A mean of D numbers and a covariance, D×D row-major, both triangles.
public struct GaussianMoments: Sendable, Equatable {
  public let mean: [Double]
  public let covariance: [Double]

  public var dimension: Int { mean.count }

  public init(mean: [Double], covariance: [Double]) {
    precondition(covariance.count == mean.count * mean.count)
    self.mean = mean
    self.covariance = covariance
  }
}
