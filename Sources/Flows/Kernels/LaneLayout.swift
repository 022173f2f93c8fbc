/// Inside a plan arrays lie feature by feature: element (feature j, lane i) at j·columns + i, with
/// `columns` = lanes rounded up to 16, so that a vector holds sixteen lanes of one feature and needs
/// no gather. The columns past `lanes` hold finite numbers whose cotangents are zero.
func paddedColumns(_ lanes: Int) -> Int { (lanes + 15) / 16 * 16 }

/// features[j, i] = rows[i, j]; padding becomes zero. `rows`: lanes × width.
func scatter(
  _ rows: Span<Float>, lanes: Int, width: Int, columns: Int,
  into features: UnsafeMutablePointer<Float>
) {
  precondition(rows.count == lanes * width, "expected \(lanes) rows of \(width) numbers")
  rows.withUnsafeBufferPointer { source in
    for feature in 0..<width {
      let row = features + feature * columns
      for lane in 0..<lanes { row[lane] = source[lane &* width &+ feature] }
      for lane in lanes..<columns { row[lane] = 0 }
    }
  }
}

/// rows[i, j] = features[j, i].
func gather(
  _ features: UnsafePointer<Float>, lanes: Int, width: Int, columns: Int,
  into rows: inout MutableSpan<Float>
) {
  precondition(rows.count == lanes * width, "expected \(lanes) rows of \(width) numbers")
  rows.withUnsafeMutableBufferPointer { target in
    for feature in 0..<width {
      let row = features + feature * columns
      for lane in 0..<lanes { target[lane &* width &+ feature] = row[lane] }
    }
  }
}
