/// One step of a network plan: buffers owned, nothing allocated while running. Activations are
/// channels last, one item after another.
///
/// Gradients with respect to parameters are *added* to the flat vector `gradients`, which lies as
/// the packed weights do.
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
  let weightOffset: Int
  let biasOffset: Int

  var weight: UnsafePointer<Float> { weights + weightOffset }
  var bias: UnsafePointer<Float> { weights + biasOffset }
}

extension ProductParameters {
  /// c = a Wᵀ with W: rows × columns as it lies in memory, a: m × columns, c: m × rows.
  func multiplyByTransposed(
    m: Int, rows: Int, columns: Int, _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) {
    if let transposed {
      multiply(
        m: m, n: rows, k: columns, a, lda: columns, transposed, ldb: rows, into: c, ldc: rows)
    } else {
      multiply(
        .plain, .transposed, m: m, n: rows, k: columns, a, lda: columns, weight, ldb: columns,
        into: c, ldc: rows)
    }
  }
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
