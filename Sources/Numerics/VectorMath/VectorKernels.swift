/// Vectors in double precision, eight elements at a time; every sum has the same order each time.
package enum VectorKernels {
  /// Σ a_i b_i.
  package static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int)
    -> Double
  {
    var sums = SIMD8<Double>.zero
    var index = 0
    while index &+ 8 <= count {
      sums += load(a + index) * load(b + index)
      index &+= 8
    }
    var total = sums.sum()
    while index < count {
      total += a[index] * b[index]
      index &+= 1
    }
    return total
  }

  /// y ← y + scale · x.
  package static func add(
    _ scale: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    var index = 0
    while index &+ 8 <= count {
      let sum = load(y + index) + load(x + index) * scale
      UnsafeMutableRawPointer(y + index).storeBytes(of: sum, as: SIMD8<Double>.self)
      index &+= 8
    }
    while index < count {
      y[index] += scale * x[index]
      index &+= 1
    }
  }

  /// y ← x + scale · y.
  package static func replace(
    _ y: UnsafeMutablePointer<Double>, byScaling scale: Double, adding x: UnsafePointer<Double>,
    _ count: Int
  ) {
    var index = 0
    while index &+ 8 <= count {
      let sum = load(x + index) + load(y + index) * scale
      UnsafeMutableRawPointer(y + index).storeBytes(of: sum, as: SIMD8<Double>.self)
      index &+= 8
    }
    while index < count {
      y[index] = x[index] + scale * y[index]
      index &+= 1
    }
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
  }
}
