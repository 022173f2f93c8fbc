import CLAPACK
import Foundation

/// A = L Lᵀ of a symmetric positive definite matrix. O(D³) to make.
package struct CholeskyFactor {
  package let dimension: Int
  /// L, D × D row-major, zeros above the diagonal.
  package let lower: [Double]

  /// Nil when `matrix` is not positive definite or not finite, or when a squared pivot is not above
  /// `pivotFloor` times the diagonal element of A.
  /// - Parameter matrix: A, D × D row-major; only its lower triangle is read.
  package init?(_ matrix: [Double], dimension: Int, pivotFloor: Double = 0) {
    precondition(matrix.count == dimension * dimension, "the matrix is D × D")
    guard matrix.allSatisfy(\.isFinite) else { return nil }
    var factor = matrix
    // A row-major lower triangle is a column-major upper one, and A = UᵀU with U = Lᵀ.
    guard
      LAPACKE_dpotrf(LAPACK_COL_MAJOR, Self.upper, Int32(dimension), &factor, Int32(dimension)) == 0
    else { return nil }
    for i in 0..<dimension {
      let pivot = factor[i * (dimension + 1)]
      guard pivot * pivot > pivotFloor * matrix[i * (dimension + 1)] else { return nil }
      for j in i + 1..<max(i + 1, dimension) { factor[i * dimension + j] = 0 }
    }
    self.dimension = dimension
    lower = factor
  }

  /// ln|A| = 2 Σ ln L_ii.
  package var logDeterminant: Double {
    2 * (0..<dimension).reduce(0) { $0 + log(lower[$1 * (dimension + 1)]) }
  }

  /// A⁻¹, D × D, both triangles. O(D³).
  package var inverse: [Double] {
    var inverse = lower
    let status = LAPACKE_dpotri(
      LAPACK_COL_MAJOR, Self.upper, Int32(dimension), &inverse, Int32(dimension))
    precondition(status == 0, "a Cholesky factor has a positive diagonal")
    for row in 0..<dimension {
      for column in 0..<row {
        inverse[column * dimension + row] = inverse[row * dimension + column]
      }
    }
    return inverse
  }

  private static let upper = CChar(UInt8(ascii: "U"))
}
