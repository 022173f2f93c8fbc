import Numerics
import Tensors

/// The shape of a matrix whose row r is zero from column `limits[r]` on, with limits that never fall from
/// row to row. Products take blocks of rows, each with the columns of its last row. Parameters hold the
/// entries below the stairs alone, one row after another: `entryCount` numbers.
struct Staircase {
  /// Columns.
  let inner: Int
  /// Of each row, 0 ... inner.
  let limits: [Int]

  var rows: Int { limits.count }
  var entryCount: Int { limits.reduce(0, +) }

  /// An eighth of the rows at a time, 48 at least: little above the stairs is computed, and the products
  /// stay large.
  private func forEachBlock(_ body: (_ rows: Range<Int>, _ limit: Int) -> Void) {
    let size = max(48, (rows + 7) / 8)
    for first in stride(from: 0, to: rows, by: size) {
      let block = first..<min(first + size, rows)
      let limit = limits[block.upperBound - 1]
      if limit > 0 { body(block, limit) }
    }
  }

  /// The whole matrix [rows, inner]; `matrix` is zero above the stairs beforehand, and stays so.
  func unpack(_ entries: UnsafePointer<Float>, into matrix: UnsafeMutablePointer<Float>) {
    var source = entries
    for (row, limit) in limits.enumerated() {
      (matrix + row * inner).update(from: source, count: limit)
      source += limit
    }
  }

  /// y = W x + bias. `matrix`: [rows, inner]; `x`: [inner, columns]; `y`: [rows, columns].
  func product(
    _ matrix: UnsafePointer<Float>, _ x: UnsafePointer<Float>, columns: Int,
    bias: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows { (y + row * columns).update(repeating: bias[row], count: columns) }
    forEachBlock { block, limit in
      multiply(
        m: block.count, n: columns, k: limit, matrix + block.lowerBound * inner, lda: inner, x,
        ldb: columns, beta: 1, into: y + block.lowerBound * columns, ldc: columns)
    }
  }

  /// dx += Wᵀ dy.
  func addTransposedProduct(
    _ matrix: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, columns: Int,
    to dx: UnsafeMutablePointer<Float>
  ) {
    forEachBlock { block, limit in
      multiply(
        .transposed, .plain, m: limit, n: columns, k: block.count,
        matrix + block.lowerBound * inner, lda: inner, dy + block.lowerBound * columns,
        ldb: columns, beta: 1, into: dx, ldc: columns)
    }
  }

  /// dW += dy xᵀ, entries below the stairs alone. `scratch`: rows·inner numbers, overwritten.
  func addOuterProduct(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, columns: Int,
    scratch: UnsafeMutablePointer<Float>, to gradient: UnsafeMutablePointer<Float>
  ) {
    var target = gradient
    forEachBlock { block, limit in
      multiply(
        .plain, .transposed, m: block.count, n: limit, k: columns,
        dy + block.lowerBound * columns, lda: columns, x, ldb: columns, into: scratch, ldc: limit)
      for row in block {
        let source = scratch + (row - block.lowerBound) * limit
        forEachVector(limits[row], target, source, into: target) { $0 + $1 }
        target += limits[row]
      }
    }
  }
}
