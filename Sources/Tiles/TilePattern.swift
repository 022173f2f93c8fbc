/// Which tiles of an H×W picture are looked at: those whose first row and column are multiples of a stride,
/// and the last that fit.
struct TilePattern {
  let rows: [Int]
  let columns: [Int]
  let side: Int

  /// - Precondition: the picture holds a tile.
  init(height: Int, width: Int, side: Int, stride: Int) {
    precondition(min(height, width) >= side, "a picture of \(height)×\(width) holds no tile")
    self.side = side
    rows = Self.places(height - side, stride)
    columns = Self.places(width - side, stride)
  }

  private static func places(_ last: Int, _ stride: Int) -> [Int] {
    let regular = Array(Swift.stride(from: 0, through: last, by: stride))
    return regular.last == last ? regular : regular + [last]
  }

  /// For each of `extent` pixels along an axis, how many of the `places` cover it.
  static func covers(_ places: [Int], side: Int, extent: Int) -> [Float] {
    var counts = [Float](repeating: 0, count: extent)
    for place in places { for pixel in place..<place + side { counts[pixel] += 1 } }
    return counts
  }

  /// The tiles whose first row lies in `range`, row by row.
  func places(rows range: Range<Int>) -> [TilePlace] {
    rows.filter(range.contains).flatMap { row in
      columns.map { TilePlace(row: Int32(row), column: Int32($0)) }
    }
  }
}
