import CLAPACK
import Tensors

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
    for first in stride(from: 0, to: count, by: Self.blockRows) {
      let block = first..<min(first + Self.blockRows, count)
      var scaled: [Double] = []
      scaled.reserveCapacity(block.count * dimension)
      for row in block {
        let root = weights[row].squareRoot()
        let start = rows.startIndex + row * dimension
        for value in rows[start..<start + dimension] { scaled.append(root * Double(value)) }
      }
      Self.add(scaled, scale: 1 / Double(count), dimension: dimension, to: &matrix)
    }
    self.init(upper: matrix, dimension: dimension)
  }

  /// A symmetric matrix whose upper triangle is known.
  private init(upper: [Double], dimension: Int) {
    var matrix = upper
    for row in 0..<dimension {
      for column in 0..<row {
        matrix[row * dimension + column] = matrix[column * dimension + row]
      }
    }
    self.dimension = dimension
    self.matrix = matrix
  }

  /// Adds scale·rowsᵀ rows to the upper triangle.
  private static func add(
    _ rows: [Double], scale: Double, dimension: Int, to matrix: inout [Double]
  ) {
    let size = Int32(dimension)
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, CblasTrans, size, Int32(rows.count / dimension), scale, rows, size,
      1, &matrix, size)
  }

  /// The mean μ of pictures and S = (1/n) Σᵢ (xᵢ − μ)(xᵢ − μ)ᵀ, picture by picture in double precision.
  /// Cost O(n P²) time and P² memory.
  package static func centered(
    _ images: any ImageSource
  ) -> (mean: [Double], moments: SecondMoments) {
    let (size, count) = (images.shape.count, images.count)
    let picture = FloatBuffer(size)
    var mean = [Double](repeating: 0, count: size)
    for index in 0..<count {
      images.copy(index, into: picture.pointer)
      for element in 0..<size { mean[element] += Double(picture.pointer[element]) }
    }
    for element in 0..<size { mean[element] /= Double(count) }
    var matrix = [Double](repeating: 0, count: size * size)
    for first in stride(from: 0, to: count, by: blockRows) {
      let block = first..<min(first + blockRows, count)
      var rows: [Double] = []
      rows.reserveCapacity(block.count * size)
      for index in block {
        images.copy(index, into: picture.pointer)
        for element in 0..<size { rows.append(Double(picture.pointer[element]) - mean[element]) }
      }
      add(rows, scale: 1 / Double(count), dimension: size, to: &matrix)
    }
    return (mean, SecondMoments(upper: matrix, dimension: size))
  }

  /// S_ii.
  package var diagonal: [Double] { (0..<dimension).map { matrix[$0 * dimension + $0] } }
}
