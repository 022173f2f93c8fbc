import Numerics
import Tensors

/// One step of a network plan: buffers owned, nothing allocated while running. Activations are
/// channels last, one item after another.
///
/// Gradients with respect to parameters are stored in the flat vector `gradients`, which lies as the
/// packed weights do.
protocol Stage: AnyObject {
  /// y = stage(x) for all items. Keeps what `backward` needs.
  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>)
  /// dx = Jᵀ dy at the latest `forward` (dx nil: not wanted); `dy` may be overwritten.
  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?)
}

/// The weights of a product stage inside a packed vector.
struct ProductParameters {
  let weights: UnsafePointer<Float>
  /// The weight matrix transposed, where it does not change (inference): with few rows oneDNN is up
  /// to twice as fast on a plain second operand as on a transposed one, which it has to repack.
  let transposed: UnsafePointer<Float>?
  /// Where training transposes a small matrix anew in every step; nil where that costs more than it
  /// saves.
  let scratch: FloatBuffer?
  let weightOffset: Int
  let biasOffset: Int

  var weight: UnsafePointer<Float> { weights + weightOffset }
  var bias: UnsafePointer<Float> { weights + biasOffset }
}

extension ProductParameters {
  /// To be called after the weights have changed, before `multiplyByTransposed`. W: rows × columns.
  func refreshTransposed(rows: Int, columns: Int) {
    guard let scratch else { return }
    let (source, target) = (weight, scratch.pointer)
    // Sixteen rows at a time: the target is written in runs of a cache line.
    for first in stride(from: 0, to: rows, by: 16) {
      let last = min(first &+ 16, rows)
      for column in 0..<columns {
        for row in first..<last {
          target[column &* rows &+ row] = source[row &* columns &+ column]
        }
      }
    }
  }

  /// c = a Wᵀ with W: rows × columns as it lies in memory, a: m × columns, c: m × rows.
  func multiplyByTransposed(
    m: Int, rows: Int, columns: Int, _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) {
    if let transposed = transposed ?? scratch.map({ UnsafePointer($0.pointer) }) {
      multiply(
        m: m, n: rows, k: columns, a, lda: columns, transposed, ldb: rows, into: c, ldc: rows)
    } else {
      multiply(
        .plain, .transposed, m: m, n: rows, k: columns, a, lda: columns, weight, ldb: columns,
        into: c, ldc: rows)
    }
  }
}

/// sums[c] = Σ_r rows[r, c].
func storeColumnSums(
  _ values: UnsafePointer<Float>, rows: Int, channels: Int, into sums: UnsafeMutablePointer<Float>
) {
  sums.update(repeating: 0, count: channels)
  addColumnSums(values, rows: rows, channels: channels, into: sums)
}

/// sums[c] += Σ_r rows[r, c].
func addColumnSums(
  _ values: UnsafePointer<Float>, rows: Int, channels: Int, into sums: UnsafeMutablePointer<Float>
) {
  if channels == 1 {
    // Sixteen partial sums keep the rounding error of long columns small.
    var partial = Vector(repeating: 0)
    var index = 0
    while index + 16 <= rows {
      partial += load(values + index)
      index += 16
    }
    var sum = partial.sum()
    while index < rows {
      sum += values[index]
      index += 1
    }
    sums[0] += sum
    return
  }
  for row in 0..<rows {
    let source = values + row &* channels
    var index = 0
    while index &+ 16 <= channels {
      store(load(sums + index) + load(source + index), sums + index)
      index &+= 16
    }
    while index < channels {
      sums[index] += source[index]
      index &+= 1
    }
  }
}

/// dy ← dy · derivative, `count` elements.
func multiplyInPlace(
  _ dy: UnsafeMutablePointer<Float>, _ derivative: UnsafePointer<Float>, _ count: Int
) {
  forEachVector(count, dy, derivative, into: dy) { $0 * $1 }
}
