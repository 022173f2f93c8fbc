/// A window of rows and columns in each of many grids of one size, row-major.
struct GridWindow: Sendable {
  let outerHeight: Int
  let outerWidth: Int
  let top: Int
  let left: Int
  let height: Int
  let width: Int

  /// inner = what the window shows of outer; `grids` of each.
  func crop(_ outer: Span<Float>, into inner: inout MutableSpan<Float>, grids: Int) {
    precondition(
      outer.count == grids * outerHeight * outerWidth && inner.count == grids * height * width)
    for grid in 0..<grids {
      for row in 0..<height {
        let source = (grid * outerHeight + top + row) * outerWidth + left
        let target = (grid * height + row) * width
        for column in 0..<width {
          inner[unchecked: target &+ column] = outer[unchecked: source &+ column]
        }
      }
    }
  }

  /// outer = inner where the window is, zero elsewhere: the transpose of `crop`.
  func pad(_ inner: Span<Float>, into outer: inout MutableSpan<Float>, grids: Int) {
    precondition(
      outer.count == grids * outerHeight * outerWidth && inner.count == grids * height * width)
    outer.update(repeating: 0)
    for grid in 0..<grids {
      for row in 0..<height {
        let source = (grid * height + row) * width
        let target = (grid * outerHeight + top + row) * outerWidth + left
        for column in 0..<width {
          outer[unchecked: target &+ column] = inner[unchecked: source &+ column]
        }
      }
    }
  }
}
