import CLAPACK
import Maps
import Numerics

extension ResidualCovariance {
  /// So many columns are summed at once.
  private static var columnsAtOnce: Int { 256 }

  /// A Σ Aᵀ = Σ_c a_c a_cᵀ over the columns a = A e_p √s_p and A f_r, D×D row-major: its lower triangle,
  /// zeros above. D²P/2 operations.
  ///
  /// - Parameters:
  ///   - dimension: D.
  ///   - element: A e_p, D data; asked for in turn where s_p > 0.
  ///   - factor: A f_r, D data.
  package func seen(
    dimension: Int, element: (Int) -> [Double], factor: (Int) -> [Double]
  ) throws(PlanError) -> [Double] {
    let size = Int32(dimension)
    // Rectangular full packed: the upper triangle, column-major, as LAPACK's dsfrk, its only rank-k
    // update, has it.
    var packed = [Double](repeating: 0, count: dimension * (dimension + 1) / 2)
    var columns: [Double] = []
    func add(_ column: [Double], isLast: Bool = false) throws(PlanError) {
      columns += column
      guard isLast && !columns.isEmpty || columns.count >= Self.columnsAtOnce * dimension
      else { return }
      let status = LAPACKE_dsfrk(
        LAPACK_COL_MAJOR, 0x4E /* N */, 0x55 /* U */, 0x4E /* N */, size,
        Int32(columns.count / dimension), 1, columns, size, 1, &packed)
      guard status == 0 else { throw .library("LAPACK dsfrk", "status \(status)") }
      columns.removeAll(keepingCapacity: true)
    }
    for index in variances.indices where variances[index] > 0 {
      let deviation = Double(variances[index]).squareRoot()
      try add(element(index).map { deviation * $0 })
    }
    for index in 0..<rank { try add(factor(index)) }
    try add([], isLast: true)
    var full = [Double](repeating: 0, count: dimension * dimension)
    let status = LAPACKE_dtfttr(
      LAPACK_COL_MAJOR, 0x4E /* N */, 0x55 /* U */, size, packed, &full, size)
    guard status == 0 else { throw .library("LAPACK dtfttr", "status \(status)") }
    return full
  }

  /// f_r, P elements.
  func factor(_ index: Int) -> [Float] { Array(factors[index * count..<(index + 1) * count]) }
}
