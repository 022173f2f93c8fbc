// The sampler's kernels on vectors of length D. Every unsafe pointer here points into an array that
// the caller owns and lives only for the call.

/// y ← y + a x.
@inlinable @inline(__always)
package func addScaled(_ scale: Double, _ x: [Double], to y: inout [Double]) {
  precondition(x.count == y.count)
  x.withUnsafeBufferPointer { x in
    y.withUnsafeMutableBufferPointer { y in
      for i in 0..<x.count { y[i] += scale * x[i] }
    }
  }
}

/// ⟨x, y⟩ in four interleaved partial sums: a fixed order, so the same bits every time.
@inlinable @inline(__always)
package func dot(_ x: [Double], _ y: [Double]) -> Double {
  precondition(x.count == y.count)
  return x.withUnsafeBufferPointer { x in
    y.withUnsafeBufferPointer { y in
      var partial = SIMD4<Double>.zero
      let blocked = x.count & ~3
      for i in stride(from: 0, to: blocked, by: 4) {
        let left = SIMD4<Double>(x[i], x[i + 1], x[i + 2], x[i + 3])
        let right = SIMD4<Double>(y[i], y[i + 1], y[i + 2], y[i + 3])
        partial += left * right
      }
      var tail = 0.0
      for i in blocked..<x.count { tail += x[i] * y[i] }
      return (partial[0] + partial[1]) + (partial[2] + partial[3]) + tail
    }
  }
}

/// y ← x without taking new memory.
@inlinable @inline(__always)
package func copy(_ x: [Double], into y: inout [Double]) {
  precondition(x.count == y.count)
  x.withUnsafeBufferPointer { x in
    y.withUnsafeMutableBufferPointer { y in
      for i in 0..<x.count { y[i] = x[i] }
    }
  }
}

/// y ← S x for a symmetric D × D matrix S, D² multiplications. By symmetry the rows are read as
/// columns, so the inner loop has no chain of dependent sums.
package func multiplySymmetric(_ matrix: [Double], _ x: [Double], into y: inout [Double]) {
  let dimension = x.count
  precondition(matrix.count == dimension * dimension && y.count == dimension)
  matrix.withUnsafeBufferPointer { matrix in
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        for i in 0..<dimension { y[i] = 0 }
        for j in 0..<dimension {
          let row = UnsafeBufferPointer(rebasing: matrix[j * dimension..<(j + 1) * dimension])
          let scale = x[j]
          for i in 0..<dimension { y[i] += scale * row[i] }
        }
      }
    }
  }
}
