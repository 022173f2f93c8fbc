import Networks
import Numerics
import Tensors
import Training
import Workers

/// Points of D numbers, and distances between two sets of them: ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, the last
/// by matrix products in single precision. The error of a square is about 1e-6 of ‖a‖² + ‖b‖², so give
/// points about their mean where they lie far from 0.
struct EuclideanPoints: @unchecked Sendable {
  let count: Int
  let dimension: Int
  /// count × D, row-major; not written after `init`.
  let values: FloatBuffer
  /// ‖a‖² of each point.
  private let squares: [Float]

  /// Points of one block of each side at a time: the products of a block, 512 kB, stay in a cache.
  private static let queryBlock = 256, targetBlock = 512

  init(_ values: FloatBuffer, dimension: Int) {
    precondition(dimension > 0 && values.count % dimension == 0)
    count = values.count / dimension
    self.dimension = dimension
    self.values = values
    squares = (0..<count).map { row in
      var sum: Float = 0
      for value in values.buffer[row * dimension..<(row + 1) * dimension] { sum += value * value }
      return sum
    }
  }

  init(_ rows: MappedRows) { self.init(rows.values, dimension: rows.dimension) }

  /// The same points about `centre`.
  func about(_ centre: [Float]) -> EuclideanPoints {
    precondition(centre.count == dimension)
    let shifted = FloatBuffer(values.count)
    for index in 0..<shifted.count {
      shifted.pointer[index] = values.pointer[index] - centre[index % dimension]
    }
    return EuclideanPoints(shifted, dimension: dimension)
  }

  /// Squared distances from each of these points to each of `targets`, by all workers. Cost O(n m D).
  /// - Parameter visit: called with a point, the first of a run of targets, and the squares to that run,
  ///   not below 0. The runs of a point come in order, from one worker.
  func forEachDistance(
    to targets: EuclideanPoints, pool: WorkerPool,
    visit: @escaping @Sendable (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) {
    precondition(targets.dimension == dimension)
    let size = dimension
    let blocks = (count + Self.queryBlock - 1) / Self.queryBlock
    pool.run(blocks) { [self] block in
      let products = FloatBuffer(Self.queryBlock * Self.targetBlock)
      let first = block * Self.queryBlock
      let rows = min(Self.queryBlock, count - first)
      for start in stride(from: 0, to: targets.count, by: Self.targetBlock) {
        let columns = min(Self.targetBlock, targets.count - start)
        multiply(
          .plain, .transposed, m: rows, n: columns, k: size, alpha: -2,
          values.pointer + first * size, lda: size, targets.values.pointer + start * size,
          ldb: size,
          into: products.pointer, ldc: Self.targetBlock)
        targets.squares.withUnsafeBufferPointer { squares in
          for row in 0..<rows {
            let line = products.pointer + row * Self.targetBlock
            let own = self.squares[first + row]
            for column in 0..<columns {
              line[column] = max(line[column] + own + squares[start + column], 0)
            }
            visit(first + row, start, UnsafeBufferPointer(start: line, count: columns))
          }
        }
      }
    }
  }

  /// ‖a − b‖² of one of these points and one of `targets`, in double precision.
  func squaredDistance(_ index: Int, to target: Int, of targets: EuclideanPoints) -> Double {
    let a = values.pointer + index * dimension
    let b = targets.values.pointer + target * dimension
    var sum = 0.0
    for element in 0..<dimension {
      let difference = Double(a[element]) - Double(b[element])
      sum += difference * difference
    }
    return sum
  }
}
