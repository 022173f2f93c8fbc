import CLAPACK
import Maps
import Tensors

// Notation
//   V   D×D with VᵀNV = I and VᵀSV = diag λ      (`DiagonalizedMeasurement`)
//   t   diag(σ² + α²λ)^−½ Vᵀ(y − A g), D: independent with variance 1 where the model holds
//   L   lower triangular in the order of the data, N = L Lᵀ
//   Q   L⁻¹V⁻ᵀ, D×D

/// Turned residuals brought back to the data that they belong to.
///
/// No element of t belongs to a datum, so it has no neighbours. Q is orthogonal, since QQᵀ = L⁻¹(VVᵀ)⁻¹L⁻ᵀ =
/// L⁻¹NL⁻ᵀ = I; so Q t is as white as t. And its elements belong to the data in their order: QVᵀ = L⁻¹, so where S = 0
/// element i is datum i less what the data before it predict, in standard deviations. Noise of another
/// colour than told leaves neighbouring elements correlated.
///
/// From V alone, by its RQ factorization L⁻ᵀQ with a positive diagonal: about 3 D³ multiplications.
public struct ResidualPlaces: Sendable {
  /// Of the grid of the data.
  public let shape: Shape
  /// Row-major index into the grid of each datum.
  private let indices: [Int]
  /// Q, D×D column-major.
  private let rotation: [Double]
  /// Q's elements squared.
  private let squares: [Double]

  /// - Throws: `library` when LAPACK fails.
  package init(_ measurement: DiagonalizedMeasurement) throws(PlanError) {
    shape = measurement.measurement.forwardOperator.codomain
    indices = measurement.measurement.observedIndices
    let count = measurement.count
    let size = Int32(count)
    // The rows of Vᵀ are the columns of V.
    var factors = measurement.rotation
    var scales = [Double](repeating: 0, count: count)
    var status = LAPACKE_dgerqf(LAPACK_COL_MAJOR, size, size, &factors, size, &scales)
    guard status == 0 else { throw .library("LAPACK dgerqf", "status \(status)") }
    let negative = (0..<count).map { factors[$0 * (count + 1)] < 0 }
    status = LAPACKE_dorgrq(LAPACK_COL_MAJOR, size, size, size, &factors, size, &scales)
    guard status == 0 else { throw .library("LAPACK dorgrq", "status \(status)") }
    for column in 0..<count {
      for row in 0..<count where negative[row] { factors[column * count + row].negate() }
    }
    rotation = factors
    squares = factors.map { $0 * $0 }
  }

  /// Q t and the shares Σ_j Q²_ij s_j, on the grid with 0 where nothing was observed.
  /// - Parameters:
  ///   - values: t, lanes × D. - shares: s_j, how much of t_j's variance is noise, 0 … 1, lanes × D.
  /// - Returns: lanes × the grid's elements each.
  package func place(
    _ values: [Double], shares: [Double]
  ) -> (values: [Double], shares: [Double]) {
    (onGrid(values, by: rotation), onGrid(shares, by: squares))
  }

  private func onGrid(_ rows: [Double], by matrix: [Double]) -> [Double] {
    let count = indices.count
    precondition(rows.count % count == 0)
    let lanes = rows.count / count
    // Column-major: the columns of D×lanes are the rows given.
    var products = rows
    cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasNoTrans, Int32(count), Int32(lanes), Int32(count), 1,
      matrix, Int32(count), rows, Int32(count), 0, &products, Int32(count))
    var grid = [Double](repeating: 0, count: lanes * shape.count)
    for lane in 0..<lanes {
      for (place, index) in indices.enumerated() {
        grid[lane * shape.count + index] = products[lane * count + place]
      }
    }
    return grid
  }
}
