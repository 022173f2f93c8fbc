/// An order of the data from coarse to fine, and for each datum its nearest predecessors in it: first
/// the cells whose row and column are multiples of the largest power of two, then those of half of
/// it, and so on; within a level row by row. A cell of level l has its predecessors on the lattice of
/// spacing 2ˡ, so they surround it at its own scale: the order in which the Cholesky factors of the
/// inverse of smooth covariances decay fastest (Schäfer, Katzfuss and Owhadi 2021, section 2; they
/// order by the largest distance to the data before, which on a grid is this).
struct NeighbourOrder {
  /// How far, in units of 2ˡ, neighbours are looked for; beyond it 30 are rarely missing.
  private static let radius = 10

  private let height: Int
  private let width: Int
  /// Cell of each datum, and datum of each cell or −1.
  private let cells: [Int]
  private let dataOfCells: [Int32]
  /// l of each datum.
  private let levels: [UInt8]
  /// Offsets (rows, columns), the nearest first.
  private let offsets: [(row: Int, column: Int)]

  init(_ grid: MaskedSpectrum) {
    height = grid.spectrum.height
    width = grid.spectrum.width
    cells = grid.cells
    var data = [Int32](repeating: -1, count: grid.channels * height * width)
    for (datum, cell) in cells.enumerated() { data[cell] = Int32(datum) }
    dataOfCells = data
    // The cell (0, 0) is as coarse as the grid is large.
    let top = Int.bitWidth - max(height, width).leadingZeroBitCount
    let (rows, columns) = (height, width)
    levels = cells.map { cell in
      let row = cell / columns % rows
      return UInt8(min(top, row.trailingZeroBitCount, (cell % columns).trailingZeroBitCount))
    }
    var offsets: [(row: Int, column: Int)] = []
    for row in -Self.radius...Self.radius {
      for column in -Self.radius...Self.radius
      where (row, column) != (0, 0) && row * row + column * column <= Self.radius * Self.radius {
        offsets.append((row, column))
      }
    }
    // Equally distant ones in the order of their offsets: the sort need not be stable.
    self.offsets = offsets.sorted { a, b in
      (a.row * a.row + a.column * a.column, a.row, a.column)
        < (b.row * b.row + b.column * b.column, b.row, b.column)
    }
  }

  /// The data in this order.
  var order: [Int32] {
    (0..<Int32(cells.count)).sorted { precedes(Int($0), Int($1)) }
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    levels[a] != levels[b] ? levels[a] > levels[b] : a < b
  }

  /// The nearest predecessors of a datum in its own channel, at most `count`, replacing `list`.
  func predecessors(of datum: Int, count: Int, into list: inout [Int32]) {
    list.removeAll(keepingCapacity: true)
    let (cell, level) = (cells[datum], Int(levels[datum]))
    let (line, column) = (cell / width, cell % width)
    let row = line % height
    let first = (line - row) * width
    let mayMeetAgain = 2 * (Self.radius << level) >= min(height, width)
    for offset in offsets {
      let (y, x) = (offset.row << level, offset.column << level)
      guard abs(y) < height, abs(x) < width else { continue }
      let wrappedRow = wrapped(row + y, height, level: level)
      let wrappedColumn = wrapped(column + x, width, level: level)
      let other = dataOfCells[first + wrappedRow * width + wrappedColumn]
      // Round a small torus a datum is met more than once; a coarse one need not be met the short way.
      if other >= 0, precedes(Int(other), datum), !(mayMeetAgain && list.contains(other)) {
        list.append(other)
        if list.count == count { return }
      }
    }
  }
}

/// `index` modulo `extent` for an index less than one extent outside 0..<extent; what went round the
/// torus is moved to the lattice of that level, which has a seam there unless 2ˡ divides the extent.
private func wrapped(_ index: Int, _ extent: Int, level: Int) -> Int {
  if index < 0 { return ((index + extent) >> level) << level }
  return index >= extent ? ((index - extent) >> level) << level : index
}
