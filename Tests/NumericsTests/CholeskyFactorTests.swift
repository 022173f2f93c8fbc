import Foundation
import Numerics
import Testing

@Suite struct CholeskyFactorTests {
  /// A 3×3 matrix whose factor is known in integers: L = [2; 6 1; −8 5 3].
  private let matrix: [Double] = [4, 12, -16, 12, 37, -43, -16, -43, 98]

  /// Seen to fail: the upper triangle of the factor left in place; the inverse's upper triangle left out.
  @Test("factor, inverse and determinant of a matrix whose factor is known")
  func known() throws {
    let factor = try #require(CholeskyFactor(matrix, dimension: 3))
    #expect(zip(factor.lower, [2, 0, 0, 6, 1, 0, -8, 5, 3]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(abs(factor.logDeterminant - log(36)) < 1e-12)
    let identity = matrixProduct(matrix, factor.inverse, rows: 3, inner: 3, columns: 3)
    #expect(zip(identity, [1, 0, 0, 0, 1, 0, 0, 0, 1]).allSatisfy { abs($0 - $1) < 1e-11 })
  }

  @Test("what is not positive definite, not finite or below the floor has no factor")
  func refused() {
    #expect(CholeskyFactor([1, 2, 2, 1], dimension: 2) == nil)
    #expect(CholeskyFactor([1, .nan, .nan, 1], dimension: 2) == nil)
    #expect(CholeskyFactor([1, 1, 1, 1 + 1e-12], dimension: 2, pivotFloor: 1e-10) == nil)
    #expect(CholeskyFactor([1, 1, 1, 1 + 1e-8], dimension: 2, pivotFloor: 1e-10) != nil)
  }

  /// Seen to fail: the two factors exchanged in either product.
  @Test("products of matrices that are not square, against sums by hand")
  func products() {
    let (a, b) = ([1.0, 2, 3, 4, 5, 6], [1.0, 0, 2, -1, 3, 1])
    #expect(matrixProduct(a, b, rows: 2, inner: 3, columns: 2) == [14, 1, 32, 1])
    #expect(matrixProductTransposed(a, b, rows: 2, inner: 3, columns: 2) == [7, 8, 16, 17])
  }

  @Test("the quantile of type 7 is NumPy's default")
  func quantiles() {
    let values = [1.0, 2, 4, 8]
    #expect(quantile(values, 0) == 1)
    #expect(quantile(values, 1) == 8)
    #expect(abs(quantile(values, 0.4) - 2.4) < 1e-12)
    #expect(quantile([3], 0.9) == 3)
  }
}
