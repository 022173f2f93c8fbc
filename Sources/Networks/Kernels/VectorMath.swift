/// Elementwise functions on sixteen Float32 at once. Written without fused multiply-add, so that the
/// results are the same on every processor.
@usableFromInline package typealias Vector = SIMD16<Float>

/// e^x, error ≤ 2 ulp for |x| ≤ 87; below −87 it underflows to about 1e-38, above 88 it saturates
/// at about 1.7e38: finite for every finite x, and never NaN.
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2; e^r by its Taylor polynomial of degree 7 (truncation
/// r⁸/8! ≤ 5.2e-9 < ½ ulp); the factor 2ⁿ goes into the exponent field. n is rounded by adding and
/// subtracting 1.5·2²³, whose low bits then hold n itself.
@inlinable @inline(__always)
package func exponential(_ x: Vector) -> Vector {
  // Selects, not `clamped`, which the standard library computes lane by lane. NaN fails both.
  let below = x.replacing(with: 88, where: x .> 88)
  let bounded = Vector(repeating: -87).replacing(with: below, where: below .> -87)
  let shifted = bounded * Float(1.442_695_04) + Float(12_582_912)
  let n = shifted - Float(12_582_912)
  // ln 2 in two parts (Cody and Waite): n·high is exact for |n| < 2⁹.
  let r = bounded - n * Float(0.693_359_375) + n * Float(2.121_944_4e-4)
  var p = r * Float(1.984_127e-4) + Float(1.388_888_9e-3)
  p = p * r + Float(8.333_333_3e-3)
  p = p * r + Float(4.166_666_7e-2)
  p = p * r + Float(1.666_666_7e-1)
  p = p * r + Float(0.5)
  p = (p * r) * r + r + Float(1)
  let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &<< 23
  return unsafeBitCast(unsafeBitCast(p, to: SIMD16<Int32>.self) &+ bits, to: Vector.self)
}

/// 1 / (1 + e^−x).
@inlinable @inline(__always)
package func logistic(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

/// Runs `body` over `count` elements, sixteen at a time; the rest go through a padded vector, so
/// every element is computed by the same instructions whatever its place.
@inlinable @inline(__always)
package func forEachVector(
  _ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
  _ body: (Vector) -> Vector
) {
  var index = 0
  while index &+ 16 <= count {
    store(body(load(x + index)), y + index)
    index &+= 16
  }
  if index < count {
    var tail = Vector(repeating: 0)
    for lane in 0..<(count &- index) { tail[lane] = x[index &+ lane] }
    let result = body(tail)
    for lane in 0..<(count &- index) { y[index &+ lane] = result[lane] }
  }
}

/// The same with two inputs.
@inlinable @inline(__always)
package func forEachVector(
  _ count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, _ body: (Vector, Vector) -> Vector
) {
  var index = 0
  while index &+ 16 <= count {
    store(body(load(a + index), load(b + index)), y + index)
    index &+= 16
  }
  if index < count {
    var tailA = Vector(repeating: 0)
    var tailB = Vector(repeating: 0)
    for lane in 0..<(count &- index) {
      tailA[lane] = a[index &+ lane]
      tailB[lane] = b[index &+ lane]
    }
    let result = body(tailA, tailB)
    for lane in 0..<(count &- index) { y[index &+ lane] = result[lane] }
  }
}

@inlinable @inline(__always)
package func load(_ p: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
package func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self)
}

/// The first `count` < 16 elements at p, zeros behind them.
@inlinable @inline(__always)
package func loadPartial(_ p: UnsafePointer<Float>, _ count: Int) -> Vector {
  var v = Vector(repeating: 0)
  for lane in 0..<count { v[lane] = p[lane] }
  return v
}

@inlinable @inline(__always)
package func storePartial(_ v: Vector, _ p: UnsafeMutablePointer<Float>, _ count: Int) {
  for lane in 0..<count { p[lane] = v[lane] }
}
