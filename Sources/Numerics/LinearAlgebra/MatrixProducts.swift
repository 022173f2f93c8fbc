import CLAPACK

/// C = A B of A [rows, inner] and B [inner, columns], row-major, float64.
package func matrixProduct(
  _ a: [Double], _ b: [Double], rows: Int, inner: Int, columns: Int
) -> [Double] {
  precondition(a.count == rows * inner && b.count == inner * columns, "A is n×m, B m×k")
  var c = [Double](repeating: 0, count: rows * columns)
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(columns), Int32(inner), 1, a,
    Int32(inner), b, Int32(columns), 0, &c, Int32(columns))
  return c
}

/// C = A Bᵀ of A [rows, inner] and B [columns, inner], row-major, float64.
package func matrixProductTransposed(
  _ a: [Double], _ b: [Double], rows: Int, inner: Int, columns: Int
) -> [Double] {
  precondition(a.count == rows * inner && b.count == columns * inner, "A is n×m, B k×m")
  var c = [Double](repeating: 0, count: rows * columns)
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(columns), Int32(inner), 1, a,
    Int32(inner), b, Int32(inner), 0, &c, Int32(columns))
  return c
}
