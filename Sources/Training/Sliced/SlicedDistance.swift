import Diagnostics
import Flows
import Networks
import Numerics
import Tensors
import Workers

/// How far codes are from N(0, I) along r orthonormal directions, the sum of squared Wasserstein
/// distances of their one-dimensional marginals (Dai and Seljak 2021, eqs. 4 and 5, p = 2):
///
///     D(A) = Σ_k (1/m) Σ_i (s_k(i) − q_i)²,   s_k = (A x)_k sorted,  q_i = Φ⁻¹((i + ½)/m)
///
/// Owns its buffers; one owner, one thread at a time.
final class SlicedDistance {
  let dimension: Int
  let directionCount: Int
  private let count: Int
  /// x, [K, m].
  private let codes: FloatBuffer
  /// q, m.
  private let quantiles: [Float]
  /// A as the product reads it; A x, then each projection less its quantile, [r, m].
  private let matrix: FloatBuffer
  private let projections: FloatBuffer
  private let gradients: FloatBuffer
  private let pool: WorkerPool

  /// - Parameter codes: [K, m], feature by feature.
  init(codes: FloatBuffer, dimension: Int, directions: Int, pool: WorkerPool) {
    self.dimension = dimension
    self.codes = codes
    self.pool = pool
    directionCount = directions
    count = codes.count / dimension
    let count = count
    quantiles = (0..<count).map { Float(normalQuantile((Double($0) + 0.5) / Double(count))) }
    matrix = FloatBuffer(directions * dimension)
    projections = FloatBuffer(directions * count)
    gradients = FloatBuffer(directions * dimension)
  }

  /// D(A). `directions`: A, [r, K]. O(r m (K + ln m)).
  func value(_ directions: [Double]) -> Double {
    for (index, element) in directions.enumerated() { matrix.pointer[index] = Float(element) }
    multiply(
      m: directionCount, n: count, k: dimension, matrix.pointer, lda: dimension, codes.pointer,
      ldb: count, into: projections.pointer, ldc: count)
    var squares = [Double](repeating: 0, count: directionCount)
    squares.withUnsafeMutableBufferPointer { squares in
      nonisolated(unsafe) let sums = squares.baseAddress!
      pool.run(directionCount) { [self] direction in
        sums[direction] = subtractQuantiles(projections.pointer + direction * count)
      }
    }
    return squares.reduce(0, +) / Double(count)
  }

  /// ∂D/∂A at the A of the latest `value`, [r, K]: (2/m) Σ_i (s_i − q_rank(i)) xᵢᵀ. The order of the
  /// projections is constant but for a null set.
  func gradient() -> [Double] {
    multiply(
      .plain, .transposed, m: directionCount, n: dimension, k: count, alpha: 2 / Float(count),
      projections.pointer, lda: count, codes.pointer, ldb: count, into: gradients.pointer,
      ldc: dimension)
    return gradients.array.map { Double($0) }
  }

  /// s_i ← s_i − q_rank(i) of one row; their sum of squares.
  private func subtractQuantiles(_ row: UnsafeMutablePointer<Float>) -> Double {
    // The number's bits in an order that integers have too, above its index: sorted without a closure.
    var keys = (0..<count).map { index -> UInt64 in
      let bits = row[index].bitPattern
      let ordered = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
      return UInt64(ordered) << 32 | UInt64(index)
    }
    keys.sort()
    var sum = 0.0
    for (rank, key) in keys.enumerated() {
      let index = Int(key & 0xFFFF_FFFF)
      row[index] -= quantiles[rank]
      sum += Double(row[index]) * Double(row[index])
    }
    return sum
  }

  /// Climbs from `start` along the tangents of the Stiefel manifold, A ← rows of A + η T made
  /// orthonormal, T = G − ½ (G Aᵀ + A Gᵀ) A, η halved until D rises by 10⁻⁴ η |T|² at least (Armijo).
  /// Ends when a step brings less than a thousandth of D.
  /// - Returns: A, [r, K], orthonormal.
  func maximized(from start: [Double], iterations: Int) -> [Double] {
    var directions = orthonormalRows(start, columns: dimension)
    var current = value(directions)
    var step = 1.0
    for _ in 0..<iterations {
      let tangent = tangent(gradient(), at: directions)
      let square = tangent.reduce(0) { $0 + $1 * $1 }
      var next: (directions: [Double], value: Double)?
      for _ in 0..<12 {
        let moved = orthonormalRows(
          zip(directions, tangent).map { $0 + step * $1 }, columns: dimension)
        let trial = value(moved)
        if trial > current + 1e-4 * step * square {
          next = (moved, trial)
          break
        }
        step *= 0.5
      }
      guard let next else { break }
      let gain = next.value - current
      (directions, current) = next
      step = min(2 * step, 1e3)
      if gain < 1e-3 * current { break }
    }
    return directions
  }

  private func tangent(_ gradient: [Double], at directions: [Double]) -> [Double] {
    var result = gradient
    func product(_ a: [Double], _ row: Int, _ b: [Double], _ other: Int) -> Double {
      (0..<dimension).reduce(0) { $0 + a[row * dimension + $1] * b[other * dimension + $1] }
    }
    for row in 0..<directionCount {
      for other in 0..<directionCount {
        let factor =
          0.5
          * (product(gradient, row, directions, other) + product(directions, row, gradient, other))
        for k in 0..<dimension {
          result[row * dimension + k] -= factor * directions[other * dimension + k]
        }
      }
    }
    return result
  }
}
