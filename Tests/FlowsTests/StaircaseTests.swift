import Numerics
import Randomness
import Tensors
import Testing

@testable import Flows

@Suite struct StaircaseTests {
  private let columns = 16
  /// 101 rows in three blocks, 37 columns; the first rows reach nothing.
  private let stairs = Staircase(inner: 37, limits: (0..<101).map { max(0, $0 - 5) * 37 / 95 })

  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var stream = RandomKey(seed: seed).stream()
    return stream.normals(count).map { Float($0) }
  }

  /// Sums of at most 101 products of order 1 in Float32.
  private let tolerance = 1e-4

  // Fails when: a block takes the limit of its first row; the bias is not set for rows without columns.
  @Test("products of a staircase are those of the whole matrix")
  func products() {
    let entries = numbers(stairs.entryCount, seed: 1)
    let matrix = FloatBuffer(stairs.rows * stairs.inner)
    stairs.unpack(entries, into: matrix.pointer)
    let (x, bias) = (numbers(stairs.inner * columns, seed: 2), numbers(stairs.rows, seed: 3))
    let dy = numbers(stairs.rows * columns, seed: 4)
    let y = FloatBuffer(stairs.rows * columns)
    let dx = FloatBuffer([Float](repeating: 1, count: stairs.inner * columns))
    let gradient = FloatBuffer([Float](repeating: 2, count: stairs.entryCount))
    let scratch = FloatBuffer(stairs.rows * stairs.inner)
    stairs.product(matrix.pointer, x, columns: columns, bias: bias, into: y.pointer)
    stairs.addTransposedProduct(matrix.pointer, dy, columns: columns, to: dx.pointer)
    stairs.addOuterProduct(
      dy, x, columns: columns, scratch: scratch.pointer, to: gradient.pointer)
    let weight = matrix.array
    var entry = 0
    for row in 0..<stairs.rows {
      for lane in 0..<columns {
        let sum = (0..<stairs.inner).reduce(Double(bias[row])) {
          $0 + Double(weight[row * stairs.inner + $1]) * Double(x[$1 * columns + lane])
        }
        #expect(abs(Double(y.pointer[row * columns + lane]) - sum) < tolerance)
      }
      for column in 0..<stairs.limits[row] {
        let sum = (0..<columns).reduce(2.0) {
          $0 + Double(dy[row * columns + $1]) * Double(x[column * columns + $1])
        }
        #expect(abs(Double(gradient.pointer[entry]) - sum) < tolerance)
        #expect(weight[row * stairs.inner + column] == entries[entry])
        entry += 1
      }
    }
    #expect(weight.filter { $0 != 0 } == entries)
    for column in 0..<stairs.inner {
      for lane in 0..<columns {
        let sum = (0..<stairs.rows).reduce(1.0) {
          $0 + Double(weight[$1 * stairs.inner + column]) * Double(dy[$1 * columns + lane])
        }
        #expect(abs(Double(dx.pointer[column * columns + lane]) - sum) < tolerance)
      }
    }
  }
}
