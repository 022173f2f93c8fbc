import Tensors

/// A matrix that does not change, laid out for Y = W X with few columns: the products of a flow, for
/// which the call and the packing of a general product cost as much as the product itself.
///
/// Layout: panels of twelve rows, element (row r, column k) of panel p at (p·inner + k)·12 + r; the
/// last panel is filled with zeros. One step of the kernel then reads twelve neighbours of W and one
/// vector of X, and its twelve sums stay in registers. Immutable once made: plans share it.
package final class PackedMatrix: @unchecked Sendable {
  package let rows: Int
  /// Columns of W, the summed extent.
  package let inner: Int
  private let panels: FloatBuffer
  /// Of each panel the columns of W that are not zero throughout; the others are skipped.
  private let support: [Range<Int>]
  private static let panelRows = 12

  /// - Parameters:
  ///   - values: W as it lies in memory, row-major: `rows` × `inner`, or for `.transposed` its
  ///     transpose, `inner` × `rows`.
  ///   - support: of each row the columns outside which W is zero; nil for all columns.
  package init(
    _ values: UnsafePointer<Float>, rows: Int, inner: Int, orientation: Orientation = .plain,
    support: ((_ row: Int) -> Range<Int>)? = nil
  ) {
    self.rows = rows
    self.inner = inner
    let height = Self.panelRows
    self.support = stride(from: 0, to: rows, by: height).map { first in
      guard let support else { return 0..<inner }
      let own = (first..<min(first + height, rows)).map(support).filter { !$0.isEmpty }
      guard let start = own.map(\.lowerBound).min(), let end = own.map(\.upperBound).max() else {
        return 0..<0
      }
      return start..<end
    }
    // One lane reads vectors of sixteen from steps of twelve.
    panels = FloatBuffer((rows + height - 1) / height * height * inner + 4)
    for row in 0..<rows {
      let target = panels.pointer + (row / height * inner * height + row % height)
      for k in 0..<inner {
        target[k * height] =
          orientation == .plain ? values[row * inner + k] : values[k * rows + row]
      }
    }
  }

  /// What Y holds beforehand, to which the product is added.
  package enum Start {
    case zero
    /// A number for each row.
    case bias(UnsafePointer<Float>)
    /// Y as it is.
    case present
  }

  /// y = start + W x. `x`: inner × columns, `y`: rows × columns, row-major, apart from one another;
  /// `lanes` of the columns are used, and with one lane the others of y stay as they are.
  /// - Parameter only: the rows of y to compute, the others staying as they are; nil for all. It costs
  ///   least where it begins and ends at multiples of twelve.
  /// - Precondition: `columns` is a multiple of 16.
  package func multiply(
    _ x: UnsafePointer<Float>, columns: Int, lanes: Int, from start: Start = .zero,
    only: Range<Int>? = nil, into y: UnsafeMutablePointer<Float>
  ) {
    precondition(columns & 15 == 0, "columns come in sixteens")
    let wanted = only ?? 0..<rows
    guard !wanted.isEmpty else { return }
    guard lanes > 1 else { return multiplyOne(x, columns, from: start, wanted, into: y) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 12 * 16) { scratch in
      let sums = scratch.baseAddress!
      var row = wanted.lowerBound / 12 &* 12
      while row < wanted.upperBound {
        let panel = UnsafePointer(panels.pointer) + row &* inner
        let columnsOfW = support[row / 12]
        let whole = row &+ 12 <= wanted.upperBound && row >= wanted.lowerBound
        var column = 0
        while column < columns {
          let target = y + (row &* columns &+ column)
          if whole {
            multiplyPanel(
              panel, columnsOfW, x + column, columns, start.offset(row), 12, target, columns, target
            )
          } else {
            // Sums of rows that do not exist or are not wanted stay in the scratch.
            let count = min(12, rows &- row)
            multiplyPanel(
              panel, columnsOfW, x + column, columns, start.offset(row), count, target, 16, sums)
            for r in max(0, wanted.lowerBound &- row)..<min(count, wanted.upperBound &- row) {
              store(load(sums + r &* 16), target + r &* columns)
            }
          }
          column &+= 16
        }
        row &+= 12
      }
    }
  }

  /// The first column alone: the twelve rows of a panel in one vector, four panels at a time, so that
  /// a sum need not wait for the one before.
  private func multiplyOne(
    _ x: UnsafePointer<Float>, _ columns: Int, from start: Start, _ wanted: Range<Int>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let size = 12 &* inner
    var row = wanted.lowerBound / 12 &* 12
    while row < wanted.upperBound {
      let panel = UnsafePointer(panels.pointer) + row &* inner
      // Panels that are not wanted repeat the last one; their sums are dropped.
      let last = (wanted.upperBound &- 1 &- row) / 12
      let (p1, p2, p3) = (
        panel + min(1, last) &* size, panel + min(2, last) &* size, panel + min(3, last) &* size
      )
      var (s0, s1, s2, s3) = (all(0), all(0), all(0), all(0))
      for k in support(ofPanels: row / 12...row / 12 &+ min(3, last)) {
        let v = all(x[k &* columns])
        s0 = multiplyAdd(load(panel + 12 &* k), v, s0)
        s1 = multiplyAdd(load(p1 + 12 &* k), v, s1)
        s2 = multiplyAdd(load(p2 + 12 &* k), v, s2)
        s3 = multiplyAdd(load(p3 + 12 &* k), v, s3)
      }
      for (offset, sums) in [(0, s0), (12, s1), (24, s2), (36, s3)] {
        let first = row &+ offset
        for r in 0..<max(0, min(12, wanted.upperBound &- first))
        where first &+ r >= wanted.lowerBound {
          let target = y + (first &+ r) &* columns
          switch start {
          case .zero: target.pointee = sums[r]
          case .bias(let bias): target.pointee = bias[first &+ r] + sums[r]
          case .present: target.pointee += sums[r]
          }
        }
      }
      row &+= 48
    }
  }

  /// The columns of W that some panel needs.
  @inline(__always)
  private func support(ofPanels panels: ClosedRange<Int>) -> Range<Int> {
    var (start, end) = (inner, 0)
    for panel in panels where !support[panel].isEmpty {
      start = min(start, support[panel].lowerBound)
      end = max(end, support[panel].upperBound)
    }
    return start..<max(start, end)
  }

  /// One panel on sixteen columns. `present`: where Y lies, for `Start.present`; `count`: its rows.
  @inline(__always)
  private func multiplyPanel(
    _ panel: UnsafePointer<Float>, _ support: Range<Int>, _ x: UnsafePointer<Float>,
    _ columns: Int, _ start: Start,
    _ count: Int, _ present: UnsafePointer<Float>, _ stride: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    @inline(__always) func first(_ r: Int) -> Vector {
      guard r < count else { return Vector(repeating: 0) }
      switch start {
      case .zero: return Vector(repeating: 0)
      case .bias(let bias): return Vector(repeating: bias[r])
      case .present: return load(present + r &* columns)
      }
    }
    var (s0, s1, s2, s3, s4, s5) = (first(0), first(1), first(2), first(3), first(4), first(5))
    var (s6, s7, s8, s9, s10, s11) = (
      first(6), first(7), first(8), first(9), first(10), first(11)
    )
    var w = panel + 12 &* support.lowerBound
    var source = x + support.lowerBound &* columns
    for _ in 0..<support.count {
      let v = load(source)
      s0 = multiplyAdd(all(w[0]), v, s0)
      s1 = multiplyAdd(all(w[1]), v, s1)
      s2 = multiplyAdd(all(w[2]), v, s2)
      s3 = multiplyAdd(all(w[3]), v, s3)
      s4 = multiplyAdd(all(w[4]), v, s4)
      s5 = multiplyAdd(all(w[5]), v, s5)
      s6 = multiplyAdd(all(w[6]), v, s6)
      s7 = multiplyAdd(all(w[7]), v, s7)
      s8 = multiplyAdd(all(w[8]), v, s8)
      s9 = multiplyAdd(all(w[9]), v, s9)
      s10 = multiplyAdd(all(w[10]), v, s10)
      s11 = multiplyAdd(all(w[11]), v, s11)
      w += 12
      source += columns
    }
    store(s0, y)
    store(s1, y + stride)
    store(s2, y + 2 &* stride)
    store(s3, y + 3 &* stride)
    store(s4, y + 4 &* stride)
    store(s5, y + 5 &* stride)
    store(s6, y + 6 &* stride)
    store(s7, y + 7 &* stride)
    store(s8, y + 8 &* stride)
    store(s9, y + 9 &* stride)
    store(s10, y + 10 &* stride)
    store(s11, y + 11 &* stride)
  }
}

extension PackedMatrix.Start {
  /// The same for the rows from `row` on.
  @inline(__always)
  fileprivate func offset(_ row: Int) -> Self {
    if case .bias(let bias) = self { return .bias(bias + row) }
    return self
  }
}
