import CLAPACK

/// One row of G: the Cholesky factor of a small covariance.
struct RowSolver {
  /// The neighbours, then the datum itself.
  var data: [Int32] = []
  /// U⁻¹e_last.
  private(set) var solution: [Double]
  private var matrix: [Double]

  init(neighbours: Int) {
    solution = .init(repeating: 0, count: neighbours + 1)
    matrix = .init(repeating: 0, count: (neighbours + 1) * (neighbours + 1))
  }

  /// Solves for `data`; returns the datum at which the covariance is not positive, if any.
  mutating func solve(_ elements: CovarianceElements) -> Int? {
    let count = data.count
    let variance = data.withUnsafeBufferPointer { data in
      matrix.withUnsafeMutableBufferPointer { matrix in
        elements.fill(data, into: matrix.baseAddress!)
        return matrix[count * count - 1]
      }
    }
    let size = Int32(count)
    let status = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 0x55 /* U */, size, &matrix, size)
    if status > 0 { return Int(data[Int(status) - 1]) }
    // As in `DenseNoise`: rounding leaves about n·2⁻⁵² of a variance that is none.
    let pivot = matrix[count * count - 1]
    guard pivot * pivot > Double(count) * 0x1p-52 * variance else { return Int(data[count - 1]) }
    for row in (0..<count).reversed() {
      var sum = row == count - 1 ? 1.0 : 0
      for column in row + 1..<max(count, row + 1) {
        sum -= matrix[column * count + row] * solution[column]
      }
      solution[row] = sum / matrix[row * count + row]
    }
    return nil
  }
}
