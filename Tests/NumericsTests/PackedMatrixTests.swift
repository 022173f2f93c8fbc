import LawCheckers
import Networks
import Numerics
import Testing

@Suite struct PackedMatrixTests {
  /// Rows that do and do not fill panels of twelve, one and several vectors of columns.
  /// Seen to fail: the last panel's rows past the matrix stored; the bias of the first panel used in
  /// all; `present` ignored; the second sixteen columns skipped; the orientation ignored.
  @Test("y = start + W x", arguments: [Orientation.plain, .transposed])
  func product(_ orientation: Orientation) {
    for (rows, inner, columns) in [
      (1, 1, 16), (12, 7, 16), (13, 40, 32), (24, 3, 48), (35, 128, 16),
    ] {
      let w = random(rows * inner, seed: 1)
      let x = random(inner * columns, seed: 2)
      let bias = random(rows, seed: 3)
      let before = random(rows * columns + 16, seed: 4)
      let packed = PackedMatrix(w, rows: rows, inner: inner, orientation: orientation)
      for start in 0..<3 {
        var y = before
        bias.withUnsafeBufferPointer { bias in
          let from: PackedMatrix.Start =
            start == 0 ? .zero : start == 1 ? .bias(bias.baseAddress!) : .present
          packed.multiply(x, columns: columns, lanes: columns, from: from, into: &y)
        }
        for row in 0..<rows {
          for column in 0..<columns {
            let index = row * columns + column
            let first = start == 0 ? 0 : start == 1 ? Double(bias[row]) : Double(before[index])
            var (sum, size) = (first, abs(first))
            for k in 0..<inner {
              let weight = Double(orientation == .plain ? w[row * inner + k] : w[k * rows + row])
              sum += weight * Double(x[k * columns + column])
              size += abs(weight * Double(x[k * columns + column]))
            }
            #expect(abs(Double(y[index]) - sum) <= Double(inner + 2) * 0x1p-24 * size)
          }
        }
        // Nothing is written behind the matrix.
        #expect(Array(y[(rows * columns)...]) == Array(before[(rows * columns)...]))
      }
    }
  }

  /// Panels of twelve rows go four at a time. Seen to fail: the second panel's rows in the third's
  /// place; the bias of the first four panels used for all; the other columns written.
  @Test("one lane is the first column, and the others are left alone", arguments: 0..<3)
  func oneLane(_ start: Int) {
    for (rows, inner) in [(1, 1), (12, 7), (13, 5), (40, 40), (61, 20), (128, 128)] {
      let w = random(rows * inner, seed: 1)
      let x = random(inner * 16, seed: 2)
      let bias = random(rows, seed: 3)
      let before = random(rows * 16, seed: 4)
      let packed = PackedMatrix(w, rows: rows, inner: inner)
      var (one, all) = (before, before)
      bias.withUnsafeBufferPointer { bias in
        let from: PackedMatrix.Start =
          start == 0 ? .zero : start == 1 ? .bias(bias.baseAddress!) : .present
        packed.multiply(x, columns: 16, lanes: 1, from: from, into: &one)
        packed.multiply(x, columns: 16, lanes: 16, from: from, into: &all)
      }
      for index in 0..<rows * 16 where index % 16 > 0 { #expect(one[index] == before[index]) }
      for row in 0..<rows {
        let size = (0..<inner).reduce(abs(bias[row]) + abs(before[row * 16])) {
          $0 + abs(w[row * inner + $1] * x[$1 * 16])
        }
        #expect(abs(one[row * 16] - all[row * 16]) <= Float(inner + 2) * 0x1p-23 * size)
      }
    }
  }

  /// Up to eight lanes are the first eight columns of all sixteen, number for number.
  // Fails when: the scratch is read in steps of sixteen; only the first vector's sums are stored.
  @Test("few lanes are the first eight columns, and the others are left alone", arguments: 0..<3)
  func fewLanes(_ start: Int) {
    for (rows, inner, lanes, columns) in [(1, 1, 2, 16), (13, 5, 8, 32), (61, 20, 3, 16)] {
      let w = random(rows * inner, seed: 1)
      let x = random(inner * columns, seed: 2)
      let bias = random(rows, seed: 3)
      let before = random(rows * columns, seed: 4)
      let packed = PackedMatrix(w, rows: rows, inner: inner)
      var (few, all) = (before, before)
      bias.withUnsafeBufferPointer { bias in
        let from: PackedMatrix.Start =
          start == 0 ? .zero : start == 1 ? .bias(bias.baseAddress!) : .present
        packed.multiply(x, columns: columns, lanes: lanes, from: from, into: &few)
        packed.multiply(x, columns: columns, lanes: columns, from: from, into: &all)
      }
      for index in few.indices {
        #expect(few[index] == (index % columns < 8 ? all[index] : before[index]))
      }
    }
  }

  /// Rows that do and do not fill panels, of one to several vectors of columns, and some rows of x alone.
  // Fails when: the odd rows of a panel are left out; rows past the matrix are read as rows of the next
  // column; the union of a panel's columns is taken for all columns asked for; x is overwritten.
  @Test("x += Wᵀ y", arguments: [1, 8, 16, 40])
  func transposed(_ lanes: Int) {
    let columns = (lanes + 15) / 16 * 16
    for (rows, inner, only) in [(1, 1, 0..<1), (13, 5, 0..<5), (67, 41, 7..<30), (24, 9, 3..<3)] {
      // Row r has entries at its first columns alone.
      let limit = { (row: Int) in min(row / 2 + 1, inner) }
      var w = random(rows * inner, seed: 1)
      for row in 0..<rows {
        for column in limit(row)..<inner { w[row * inner + column] = 0 }
      }
      let y = random(rows * columns, seed: 2)
      let before = random(inner * columns, seed: 3)
      let packed = PackedMatrix(w, rows: rows, inner: inner) { 0..<limit($0) }
      var x = before
      packed.addTransposed(y, columns: columns, lanes: lanes, only: only, to: &x)
      for index in x.indices {
        let (k, lane) = (index / columns, index % columns)
        if !only.contains(k) || (lanes <= 8 && lane >= 8) {
          #expect(x[index] == before[index])
          continue
        }
        var (sum, size) = (Double(before[index]), abs(Double(before[index])))
        for row in 0..<rows {
          let term = Double(w[row * inner + k]) * Double(y[row * columns + lane])
          sum += term
          size += abs(term)
        }
        #expect(abs(Double(x[index]) - sum) <= Double(rows + 2) * 0x1p-24 * size)
      }
    }
  }

  /// W is zero outside columns row/2 ... of the plain matrix; rows from a panel's middle to another's.
  // Fails when: the union of a panel's columns takes its first row's; rows before `only` are stored; the
  // panels of one lane are counted from the first row.
  @Test(
    "zero columns are skipped, and only the rows asked for are written", arguments: [1, 7, 16, 40])
  func parts(_ lanes: Int) {
    let (rows, inner, columns) = (67, 41, lanes == 1 ? 16 : (lanes + 15) / 16 * 16)
    let supports: [(Int) -> Range<Int>] = [
      { 0..<min($0 / 2, inner) }, { min($0 / 2, inner)..<inner }, { _ in 0..<0 },
    ]
    for (number, support) in supports.enumerated() {
      var w = random(rows * inner, seed: 1)
      for row in 0..<rows {
        for column in 0..<inner where !support(row).contains(column) { w[row * inner + column] = 0 }
      }
      let x = random(inner * columns, seed: 2)
      let bias = random(rows, seed: 3)
      let before = random(rows * columns, seed: 4)
      let whole = PackedMatrix(w, rows: rows, inner: inner)
      let packed = PackedMatrix(w, rows: rows, inner: inner, support: support)
      var expected = before
      bias.withUnsafeBufferPointer {
        whole.multiply(
          x, columns: columns, lanes: lanes, from: .bias($0.baseAddress!), into: &expected)
      }
      for only in [0..<67, 0..<5, 7..<31, 12..<48, 59..<60, 60..<67, 30..<30] {
        var y = before
        bias.withUnsafeBufferPointer {
          packed.multiply(
            x, columns: columns, lanes: lanes, from: .bias($0.baseAddress!), only: only, into: &y)
        }
        for index in y.indices {
          let wanted = only.contains(index / columns) ? expected[index] : before[index]
          #expect(abs(y[index] - wanted) < 1e-5, "\(number), \(only)")
        }
      }
    }
  }
}
