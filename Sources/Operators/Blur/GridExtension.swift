import Maps
import Numerics

/// An H×W picture in the grid of a Fourier transform: at the grid's origin, with room behind it for
/// what a kernel sees beyond the borders. Since the grid wraps around, what stands before row 0 are
/// its last rows.
struct GridExtension: Sendable {
  let rows: Axis
  let columns: Axis

  /// One axis of the grid.
  struct Axis: Sendable {
    /// Cells of the picture: 0..<extent of the grid.
    let extent: Int
    /// Cells of the grid, ≥ extent.
    let cells: Int
    /// Cells behind the picture that repeat one of its cells; the others are zero.
    let copies: [(cell: Int, source: Int)]

    /// Room for a kernel of `kernel` ≤ `extent` elements with its centre at ⌊kernel/2⌋, which sees
    /// ⌊kernel/2⌋ cells behind the picture and kernel − 1 − ⌊kernel/2⌋ before it.
    init(extent: Int, kernel: Int, border: ConvolutionOperator.Border) {
      let behind = kernel / 2
      let before = kernel - 1 - behind
      self.extent = extent
      switch border {
      case .periodic:
        cells = extent
        copies = []
      case .zero:
        // Zeros serve both ends at once: `behind` is the larger.
        cells = fastFourierExtent(atLeast: extent + behind)
        copies = []
      case .reflecting:
        let cells = fastFourierExtent(atLeast: extent + behind + before)
        self.cells = cells
        copies =
          (0..<behind).map { (extent + $0, extent - 1 - $0) }
          + (0..<before).map { (cells - 1 - $0, $0) }
      }
    }
  }

  private var isLarger: Bool { rows.cells > rows.extent || columns.cells > columns.extent }

  /// The picture that begins at `start` of `pictures`, zeros around it.
  func embed(
    _ pictures: Span<Float>, from start: Int, into grid: UnsafeMutableBufferPointer<Float>
  ) {
    if isLarger { grid.update(repeating: 0) }
    for row in 0..<rows.extent {
      let (source, target) = (start + row * columns.extent, row * columns.cells)
      for column in 0..<columns.extent {
        grid[target &+ column] = pictures[unchecked: source &+ column]
      }
    }
  }

  /// The transpose of `embed`: the picture that begins at `start` of `pictures`.
  func crop(
    _ grid: UnsafeMutableBufferPointer<Float>, into pictures: inout MutableSpan<Float>,
    from start: Int
  ) {
    for row in 0..<rows.extent {
      let (source, target) = (row * columns.cells, start + row * columns.extent)
      for column in 0..<columns.extent {
        pictures[unchecked: target &+ column] = grid[source &+ column]
      }
    }
  }

  /// Writes the copies behind an embedded picture; those of the rows hold those of the columns, so
  /// that the corners are filled.
  func copyBorders(_ grid: UnsafeMutableBufferPointer<Float>) {
    for row in 0..<rows.extent {
      let start = row * columns.cells
      for copy in columns.copies { grid[start + copy.cell] = grid[start + copy.source] }
    }
    for copy in rows.copies {
      let (source, target) = (copy.source * columns.cells, copy.cell * columns.cells)
      for column in 0..<columns.cells { grid[target &+ column] = grid[source &+ column] }
    }
  }

  /// The transpose of `copyBorders`, as far as `crop` sees it: adds the copies to their sources.
  func foldBorders(_ grid: UnsafeMutableBufferPointer<Float>) {
    for copy in rows.copies {
      let (source, target) = (copy.source * columns.cells, copy.cell * columns.cells)
      for column in 0..<columns.cells { grid[source &+ column] += grid[target &+ column] }
    }
    for row in 0..<rows.extent {
      let start = row * columns.cells
      for copy in columns.copies { grid[start + copy.source] += grid[start + copy.cell] }
    }
  }
}

/// The smallest number ≥ `minimum` with no prime factor above 7, for which FFTW has fast kernels.
func fastFourierExtent(atLeast minimum: Int) -> Int {
  var extent = max(minimum, 1)
  while true {
    var rest = extent
    for factor in [2, 3, 5, 7] { while rest % factor == 0 { rest /= factor } }
    if rest == 1 { return extent }
    extent += 1
  }
}
