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
  /// `lanes` of the columns are used. Up to eight lanes take half of a vector of columns, and one lane
  /// takes one column: the others of y then stay as they are.
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
    switch lanes {
    case 1: multiplyOne(x, columns, from: start, wanted, into: y)
    case ...8: multiply(x, columns, 8, from: start, wanted, into: y, as: SIMD8<Float>.self)
    default: multiply(x, columns, columns, from: start, wanted, into: y, as: Vector.self)
    }
  }

  /// The first `used` columns, as many at a time as a vector has numbers.
  @inline(__always)
  private func multiply<Lanes: PanelVector>(
    _ x: UnsafePointer<Float>, _ columns: Int, _ used: Int, from start: Start, _ wanted: Range<Int>,
    into y: UnsafeMutablePointer<Float>, as _: Lanes.Type
  ) {
    let width = Lanes.scalarCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 12 * 16) { scratch in
      let sums = scratch.baseAddress!
      var row = wanted.lowerBound / 12 &* 12
      while row < wanted.upperBound {
        let panel = UnsafePointer(panels.pointer) + row &* inner
        let columnsOfW = support[row / 12]
        let whole = row &+ 12 <= wanted.upperBound && row >= wanted.lowerBound
        var column = 0
        while column < used {
          let target = y + (row &* columns &+ column)
          if whole {
            multiplyPanel(
              panel, columnsOfW, x + column, columns, start.offset(row), 12, target, columns,
              target, as: Lanes.self)
          } else {
            // Sums of rows that do not exist or are not wanted stay in the scratch.
            let count = min(12, rows &- row)
            multiplyPanel(
              panel, columnsOfW, x + column, columns, start.offset(row), count, target, width, sums,
              as: Lanes.self)
            for r in max(0, wanted.lowerBound &- row)..<min(count, wanted.upperBound &- row) {
              Lanes(at: sums + r &* width).store(target + r &* columns)
            }
          }
          column &+= width
        }
        row &+= 12
      }
    }
  }

  /// x += Wᵀ y, by the same panels: what memory has just delivered for `multiply` is used twice. `y`: rows ×
  /// columns, `x`: inner × columns; `columns` and `lanes` as in `multiply`.
  /// - Parameter only: the rows of x to add to; nil for all.
  /// - Precondition: `columns` is a multiple of 16.
  package func addTransposed(
    _ y: UnsafePointer<Float>, columns: Int, lanes: Int, only: Range<Int>? = nil,
    to x: UnsafeMutablePointer<Float>
  ) {
    precondition(columns & 15 == 0, "columns come in sixteens")
    let wanted = only ?? 0..<inner
    if lanes <= 8 {
      addTransposed(y, columns, 8, wanted, to: x, as: SIMD8<Float>.self)
    } else {
      addTransposed(y, columns, columns, wanted, to: x, as: Vector.self)
    }
  }

  /// Two chains of sums for each row of x: one would wait for itself.
  @inline(__always)
  private func addTransposed<Lanes: PanelVector>(
    _ y: UnsafePointer<Float>, _ columns: Int, _ used: Int, _ wanted: Range<Int>,
    to x: UnsafeMutablePointer<Float>, as _: Lanes.Type
  ) {
    for (number, support) in support.enumerated() {
      let row = number &* 12
      let reached = support.clamped(to: wanted)
      for column in stride(from: 0, to: used, by: Lanes.scalarCount) {
        let source = y + (row &* columns &+ column)
        @inline(__always) func d(_ r: Int) -> Lanes {
          row &+ r < rows ? Lanes(at: source + r &* columns) : Lanes(same: 0)
        }
        let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
        let (d6, d7, d8, d9, d10, d11) = (d(6), d(7), d(8), d(9), d(10), d(11))
        var w = UnsafePointer(panels.pointer) + (row &* inner &+ 12 &* reached.lowerBound)
        var target = x + (reached.lowerBound &* columns &+ column)
        for _ in 0..<reached.count {
          var even = d0.times(w[0], plus: Lanes(at: target))
          var odd = d1.times(w[1], plus: Lanes(same: 0))
          even = d2.times(w[2], plus: even)
          odd = d3.times(w[3], plus: odd)
          even = d4.times(w[4], plus: even)
          odd = d5.times(w[5], plus: odd)
          even = d6.times(w[6], plus: even)
          odd = d7.times(w[7], plus: odd)
          even = d8.times(w[8], plus: even)
          odd = d9.times(w[9], plus: odd)
          even = d10.times(w[10], plus: even)
          odd = d11.times(w[11], plus: odd)
          Lanes.sum(even, odd).store(target)
          w += 12
          target += columns
        }
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

  /// One panel on a vector of columns. `present`: where Y lies, for `Start.present`; `count`: its rows.
  @inline(__always)
  private func multiplyPanel<Lanes: PanelVector>(
    _ panel: UnsafePointer<Float>, _ support: Range<Int>, _ x: UnsafePointer<Float>,
    _ columns: Int, _ start: Start,
    _ count: Int, _ present: UnsafePointer<Float>, _ stride: Int,
    _ y: UnsafeMutablePointer<Float>, as _: Lanes.Type
  ) {
    @inline(__always) func first(_ r: Int) -> Lanes {
      guard r < count else { return Lanes(same: 0) }
      switch start {
      case .zero: return Lanes(same: 0)
      case .bias(let bias): return Lanes(same: bias[r])
      case .present: return Lanes(at: present + r &* columns)
      }
    }
    var (s0, s1, s2, s3, s4, s5) = (first(0), first(1), first(2), first(3), first(4), first(5))
    var (s6, s7, s8, s9, s10, s11) = (
      first(6), first(7), first(8), first(9), first(10), first(11)
    )
    var w = panel + 12 &* support.lowerBound
    var source = x + support.lowerBound &* columns
    for _ in 0..<support.count {
      let v = Lanes(at: source)
      s0 = v.times(w[0], plus: s0)
      s1 = v.times(w[1], plus: s1)
      s2 = v.times(w[2], plus: s2)
      s3 = v.times(w[3], plus: s3)
      s4 = v.times(w[4], plus: s4)
      s5 = v.times(w[5], plus: s5)
      s6 = v.times(w[6], plus: s6)
      s7 = v.times(w[7], plus: s7)
      s8 = v.times(w[8], plus: s8)
      s9 = v.times(w[9], plus: s9)
      s10 = v.times(w[10], plus: s10)
      s11 = v.times(w[11], plus: s11)
      w += 12
      source += columns
    }
    s0.store(y)
    s1.store(y + stride)
    s2.store(y + 2 &* stride)
    s3.store(y + 3 &* stride)
    s4.store(y + 4 &* stride)
    s5.store(y + 5 &* stride)
    s6.store(y + 6 &* stride)
    s7.store(y + 7 &* stride)
    s8.store(y + 8 &* stride)
    s9.store(y + 9 &* stride)
    s10.store(y + 10 &* stride)
    s11.store(y + 11 &* stride)
  }
}

/// Columns side by side.
private protocol PanelVector {
  static var scalarCount: Int { get }
  init(same value: Float)
  init(at pointer: UnsafePointer<Float>)
  func store(_ pointer: UnsafeMutablePointer<Float>)
  /// w·self + sum.
  func times(_ w: Float, plus sum: Self) -> Self
  static func sum(_ a: Self, _ b: Self) -> Self
}

extension SIMD16<Float>: PanelVector {
  @inline(__always) fileprivate init(same value: Float) { self = all(value) }
  @inline(__always) fileprivate init(at pointer: UnsafePointer<Float>) { self = load(pointer) }
  @inline(__always) fileprivate func store(_ pointer: UnsafeMutablePointer<Float>) {
    Numerics.store(self, pointer)
  }
  @inline(__always) fileprivate func times(_ w: Float, plus sum: Self) -> Self {
    multiplyAdd(all(w), self, sum)
  }
  @inline(__always) fileprivate static func sum(_ a: Self, _ b: Self) -> Self { a + b }
}

extension SIMD8<Float>: PanelVector {
  @inline(__always) fileprivate init(same value: Float) { self = Self(repeating: value) }
  @inline(__always) fileprivate init(at pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }
  @inline(__always) fileprivate func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }
  @inline(__always) fileprivate func times(_ w: Float, plus sum: Self) -> Self {
    multiplyAdd(Self(repeating: w), self, sum)
  }
  @inline(__always) fileprivate static func sum(_ a: Self, _ b: Self) -> Self { a + b }
}

extension PackedMatrix.Start {
  /// The same for the rows from `row` on.
  @inline(__always)
  fileprivate func offset(_ row: Int) -> Self {
    if case .bias(let bias) = self { return .bias(bias + row) }
    return self
  }
}
