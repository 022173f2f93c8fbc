import CLAPACK

/// S = (1/n) Σᵢ wᵢ rᵢ rᵢᵀ of n residual pictures rᵢ with weights wᵢ: moments about zero and not about
/// the mean, because the prior takes E ε = 0 and its Σ has to hold what is left of a mean as well.
package struct SecondMoments: Sendable {
  /// P.
  package let dimension: Int
  /// S, P×P row-major, both triangles; intensity² where weights are 1.
  package let matrix: [Double]

  /// Rows that are made double at a time.
  private static let blockRows = 512

  /// Cost O(n P²) time and P² memory.
  /// - Parameters:
  ///   - rows: n × P, row-major.
  ///   - weights: n numbers ≥ 0.
  package init(_ rows: ArraySlice<Float>, dimension: Int, weights: [Double]) {
    let count = weights.count
    precondition(count > 0 && rows.count == count * dimension)
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    let size = Int32(dimension)
    for first in stride(from: 0, to: count, by: Self.blockRows) {
      let block = first..<min(first + Self.blockRows, count)
      var scaled: [Double] = []
      scaled.reserveCapacity(block.count * dimension)
      for row in block {
        let root = weights[row].squareRoot()
        let start = rows.startIndex + row * dimension
        for value in rows[start..<start + dimension] { scaled.append(root * Double(value)) }
      }
      cblas_dsyrk(
        CblasRowMajor, CblasUpper, CblasTrans, size, Int32(block.count), 1 / Double(count), scaled,
        size, 1, &matrix, size)
    }
    for row in 0..<dimension {
      for column in 0..<row {
        matrix[row * dimension + column] = matrix[column * dimension + row]
      }
    }
    self.dimension = dimension
    self.matrix = matrix
  }

  /// S_ii.
  package var diagonal: [Double] { (0..<dimension).map { matrix[$0 * dimension + $0] } }
}
