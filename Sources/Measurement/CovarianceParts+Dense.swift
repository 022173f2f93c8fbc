import CLAPACK
import Maps

extension CovarianceParts {
  /// A Σ Aᵀ is summed over so many columns of A Σ^½ at once.
  private static var columnsAtOnce: Int { 256 }

  /// The Cholesky factor of the sum.
  /// - Throws: `tooLarge` above `DenseNoise.largestDimension` data; `unusable` when it is singular;
  ///   whatever an operator's plan throws.
  func denseNoise() throws(PlanError) -> DenseNoise {
    try DenseNoise.checkDimension(dimension)
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    let elements = try CovarianceElements(variances: variances, grids: grids)
    let data = (0..<dimension).map { Int32($0) }
    data.withUnsafeBufferPointer { data in
      matrix.withUnsafeMutableBufferPointer { elements.fill(data, into: $0.baseAddress!) }
    }
    for (covariance, map) in residuals { try add(covariance, map, to: &matrix) }
    return try DenseNoise(matrix, dimension, name: "the covariance of \(name)")
  }

  /// matrix += Σ_c a_c a_cᵀ over the columns a = A e_p √s_p and A f_r, in double precision once the
  /// operator has given them: D²P/2 operations.
  private func add(
    _ covariance: ResidualCovariance, _ map: any LinearOperator, to matrix: inout [Double]
  ) throws(PlanError) {
    let plan = try map.makePlan(lanes: 1)
    let size = Int32(dimension)
    // Rectangular full packed: the upper triangle as LAPACK's dsfrk, its only rank-k update, has it.
    var packed = [Double](repeating: 0, count: dimension * (dimension + 1) / 2)
    var columns: [Double] = []
    var picture = [Float](repeating: 0, count: covariance.count)
    var image = [Float](repeating: 0, count: dimension)
    func flush() throws(PlanError) {
      guard !columns.isEmpty else { return }
      let count = Int32(columns.count / dimension)
      let status = LAPACKE_dsfrk(
        LAPACK_COL_MAJOR, 0x4E /* N */, 0x55 /* U */, 0x4E /* N */, size, count, 1, columns, size,
        1,
        &packed)
      guard status == 0 else { throw .library("LAPACK dsfrk", "status \(status)") }
      columns.removeAll(keepingCapacity: true)
    }
    func append(scale: Double) throws(PlanError) {
      var span = image.mutableSpan
      plan.apply(picture.span, into: &span)
      for value in image { columns.append(scale * Double(value)) }
      if columns.count >= Self.columnsAtOnce * dimension { try flush() }
    }
    for index in picture.indices where covariance.variances[index] > 0 {
      picture[index] = 1
      try append(scale: Double(covariance.variances[index]).squareRoot())
      picture[index] = 0
    }
    for factor in 0..<covariance.rank {
      picture = Array(
        covariance.factors[factor * covariance.count..<(factor + 1) * covariance.count])
      try append(scale: 1)
    }
    try flush()
    var full = [Double](repeating: 0, count: dimension * dimension)
    let status = LAPACKE_dtfttr(
      LAPACK_COL_MAJOR, 0x4E /* N */, 0x55 /* U */, size, packed, &full, size)
    guard status == 0 else { throw .library("LAPACK dtfttr", "status \(status)") }
    for index in matrix.indices { matrix[index] += full[index] }
  }
}
