import CProcessor

/// Elementwise functions on sixteen Float32 at once.
///
/// Both operands of every operation are vectors: the compiler takes `1 − x` or `1 / x` with a scalar
/// apart, lane by lane.
@usableFromInline package typealias Vector = SIMD16<Float>
/// What comparisons of vectors give.
@usableFromInline package typealias Mask = SIMDMask<SIMD16<Int32>>

/// a·b + c, fused where the program is compiled for it.
@inlinable @inline(__always)
package func multiplyAdd(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
  multiplyAddVectors(a, b, c)
}

@inlinable @inline(__always)
package func multiplyAdd(_ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>) -> SIMD8<Float> {
  multiplyAddHalfVectors(a, b, c)
}

@inlinable @inline(__always)
package func squareRoot(_ x: Vector) -> Vector { squareRoots(x) }

/// The same number sixteen times.
@inlinable @inline(__always)
package func all(_ x: Float) -> Vector { Vector(repeating: x) }

/// e^x, error ≤ 2 ulp for |x| ≤ 87; below −87 it underflows to about 1e-38, above 88 it saturates
/// at about 1.7e38: finite for every x but NaN, which stays NaN, so that nothing hides it.
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2; e^r by its Taylor polynomial of degree 7 (truncation
/// r⁸/8! ≤ 5.2e-9 < ½ ulp); the factor 2ⁿ goes into the exponent field. n is rounded by adding and
/// subtracting 1.5·2²³, whose low bits then hold n itself.
@inlinable @inline(__always)
package func exponential(_ x: Vector) -> Vector {
  // Selects, not `clamped`, which the standard library computes lane by lane.
  let below = x.replacing(with: 88, where: x .> all(88))
  let bounded = below.replacing(with: -87, where: below .< all(-87))
  let shifted = multiplyAdd(bounded, all(1.442_695_04), all(12_582_912))
  let n = shifted - all(12_582_912)
  // ln 2 in two parts (Cody and Waite): n·high is exact for |n| < 2⁹.
  let r = multiplyAdd(n, all(2.121_944_4e-4), multiplyAdd(n, all(-0.693_359_375), bounded))
  var p = multiplyAdd(r, all(1.984_127e-4), all(1.388_888_9e-3))
  p = multiplyAdd(p, r, all(8.333_333_3e-3))
  p = multiplyAdd(p, r, all(4.166_666_7e-2))
  p = multiplyAdd(p, r, all(1.666_666_7e-1))
  p = multiplyAdd(p, r, all(0.5))
  p = multiplyAdd(p * r, r, r) + all(1)
  let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &<< SIMD16<Int32>(repeating: 23)
  let result = unsafeBitCast(unsafeBitCast(p, to: SIMD16<Int32>.self) &+ bits, to: Vector.self)
  return result.replacing(with: x, where: x .!= x)
}

/// 1 / (1 + e^−x).
@inlinable @inline(__always)
package func logistic(_ x: Vector) -> Vector { all(1) / (all(1) + exponential(all(0) - x)) }

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
    storePartial(body(loadPartial(x + index, count &- index)), y + index, count &- index)
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
    let left = count &- index
    storePartial(
      body(loadPartial(a + index, left), loadPartial(b + index, left)), y + index, left)
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

/// The first `count` < 16 elements at p, zeros behind them. By way of memory: taking lanes one by one
/// would make the compiler compute in pieces of vectors whatever the lanes come from.
@inlinable @inline(__always)
package func loadPartial(_ p: UnsafePointer<Float>, _ count: Int) -> Vector {
  var v = Vector(repeating: 0)
  withUnsafeMutableBytes(of: &v) { $0.baseAddress!.copyMemory(from: p, byteCount: 4 &* count) }
  return v
}

@inlinable @inline(__always)
package func storePartial(_ v: Vector, _ p: UnsafeMutablePointer<Float>, _ count: Int) {
  withUnsafeBytes(of: v) {
    UnsafeMutableRawPointer(p).copyMemory(from: $0.baseAddress!, byteCount: 4 &* count)
  }
}
