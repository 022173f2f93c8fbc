/// How the pictures of a folder become pictures of one size.
public enum Tiling: Sendable, Equatable {
  /// As they are; all must have one size.
  case whole
  /// Squares of so many pixels a side, cut on a grid without overlap that is centred in the picture.
  case side(Int)
  /// `whole` where all have one size of at most `largestWhole` pixels a side, else squares of
  /// `automaticSide`.
  case auto

  /// A picture larger than this has far more pixels than a folder has pictures.
  static let largestWhole = 64
  static let automaticSide = 32
  /// Tiles of a folder at most, dealt evenly to its pictures; of a picture with more on its grid evenly
  /// spaced ones are taken.
  static let maximumTiles = 100_000

  /// The side of the tiles, nil for whole pictures.
  func side(heights: [Int], widths: [Int]) -> Int? {
    switch self {
    case .whole: return nil
    case .side(let side): return side
    case .auto:
      let isOneSize = Set(heights).count == 1 && Set(widths).count == 1
      let largest = max(heights.max() ?? 0, widths.max() ?? 0)
      return isOneSize && largest <= Self.largestWhole ? nil : Self.automaticSide
    }
  }

  /// Rows and columns where the tiles of a picture begin.
  static func corners(
    height: Int, width: Int, side: Int, most: Int
  ) -> [(row: Int, column: Int)] {
    let (rows, columns) = (height / side, width / side)
    let count = rows * columns
    let kept = min(count, most)
    let (top, left) = ((height - rows * side) / 2, (width - columns * side) / 2)
    return (0..<kept).map { index in
      let cell = index * count / kept
      return (top + cell / columns * side, left + cell % columns * side)
    }
  }
}
