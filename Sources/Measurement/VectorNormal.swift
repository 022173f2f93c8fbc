// ln Φ and its derivative for sixteen single-precision numbers at once, without a branch, a table or
// a call. Only +, ×, ÷, comparisons and bit operations, so that the compiler maps each line to a few
// vector instructions of whatever width it may use, and results do not depend on that width.
//
//   h(x) = φ(x)/Φ(x),  a = |x|,  q = (a − 5/2)/(a + 5/2) ∈ [−1, 1)
//   x < 0:  h = (a + 1)·G(q),             ln Φ = −a²/2 − ½ ln 2π − ln h
//   x ≥ 0:  E = exp(−a²/2)/(√(2π) h(−a)),  ln Φ = ln(1 − E),  h = exp(−a²/2)/(√(2π)(1 − E))
//
// since Φ(−a) = φ(a)/h(−a) = E. h(−a)/(a + 1) is smooth in q on all of a ≥ 0 (it tends to 1), and
// one polynomial of degree 10 holds it to 2.5e-8. The polynomials are our own least-squares fits on
// Chebyshev points to 40-digit values; the pieces that exponent and logarithm reduce to are usual.

package typealias FloatLanes = SIMD16<Float>
package typealias IntLanes = SIMD16<Int32>

/// Values of one block, so that the derivative costs no second evaluation.
package struct LogNormalLanes {
  /// ln Φ(x).
  package var value: FloatLanes
  /// h(x) = φ(x)/Φ(x).
  package var slope: FloatLanes
}

/// ln Φ(x) and h(x): relative error below 2e-6; ln Φ above x ≈ 0 to 1e-7 absolute, since it tends
/// to 0 there.
@inline(__always)
package func logNormalLanes(_ x: FloatLanes) -> LogNormalLanes {
  let zero = FloatLanes(repeating: 0)
  let a = x.replacing(with: zero - x, where: x .< zero)
  let q = (a - 2.5) / (a + 2.5)
  var g = q * 3.029_851_94e-4 - 2.269_937_65e-4
  g = g * q - 9.116_498_25e-4
  g = g * q - 1.151_324_51e-3
  g = g * q + 5.563_266_42e-3
  g = g * q + 3.277_364_24e-4
  g = g * q - 1.651_245_69e-3
  g = g * q - 4.721_714_72e-2
  g = g * q + 8.914_040_84e-2
  g = g * q + 1.493_254_53e-1
  g = g * q + 8.064_985_27e-1
  let tail = (a + 1) * g
  let halfSquare = a * a * 0.5
  // 1/√(2π).
  let density = expLanes(zero - halfSquare) * 0.398_942_280
  let below = x .< zero
  let kept = 1 - density / tail
  // One logarithm serves both sides: of h below, of 1 − E above.
  let logarithm = logLanes(kept.replacing(with: tail, where: below))
  return LogNormalLanes(
    value: logarithm.replacing(
      with: zero - (halfSquare + 0.918_938_533) - logarithm, where: below),
    slope: (density / kept).replacing(with: tail, where: below))
}

/// exp(x) for x ≤ 0; 0 below −87. Relative error below 2e-7 (1e-7 times |x|/8 far down, as the
/// rounding of x itself).
@inline(__always)
package func expLanes(_ x: FloatLanes) -> FloatLanes {
  let floor = FloatLanes(repeating: -87)
  let vanishes = x .< floor
  let y = x.replacing(with: floor, where: vanishes)
  // n = round(y/ln 2): adding 3·2²² leaves the integer in the low bits of the significand.
  let shifted = y * 1.442_695_04 + 12_582_912
  let n = shifted - 12_582_912
  // ln 2 = 0.693359375 − 2.12194440e-4: the first has nine bits, so n times it is exact.
  let r = (y - n * 0.693_359_375) + n * 2.121_944_40e-4
  var p = r * 1.393_801_81e-3 + 8.366_847_91e-3
  p = p * r + 4.166_641_67e-2
  p = p * r + 1.666_654_80e-1
  p = p * r + 5.000_000_02e-1
  p = p * (r * r) + (r + 1)
  let bits = unsafeBitCast(shifted, to: IntLanes.self) &<< 23
  let scaled = unsafeBitCast(p, to: IntLanes.self) &+ bits
  return unsafeBitCast(scaled, to: FloatLanes.self)
    .replacing(with: FloatLanes(repeating: 0), where: vanishes)
}

/// ln x for finite positive normal x: error below 1e-7·max(|ln x|, |x − 1|).
@inline(__always)
package func logLanes(_ x: FloatLanes) -> FloatLanes {
  let bits = unsafeBitCast(x, to: IntLanes.self)
  // x = 2ᵏ·m with m ∈ [√½, √2): 0x3F3504F3 are the bits of √½.
  let offset = bits &- 0x3F35_04F3
  let k = offset &>> 23
  let m = unsafeBitCast(bits &- (k &<< 23), to: FloatLanes.self)
  // k as a Float: the integer added to the bits of 3·2²².
  let kBits = k &+ unsafeBitCast(FloatLanes(repeating: 12_582_912), to: IntLanes.self)
  let exponent = unsafeBitCast(kBits, to: FloatLanes.self) - 12_582_912
  let f = m - 1
  var p = f * 7.247_778_72e-2 - 1.172_950_83e-1
  p = p * f + 1.169_497_85e-1
  p = p * f - 1.238_899_47e-1
  p = p * f + 1.424_431_22e-1
  p = p * f - 1.666_938_38e-1
  p = p * f + 2.000_090_07e-1
  p = p * f - 2.499_997_90e-1
  p = p * f + 3.333_333_03e-1
  let square = f * f
  let series = f - (square * 0.5 - p * f * square)
  return exponent * 0.693_359_375 + (series - exponent * 2.121_944_40e-4)
}

/// 1/√x for finite positive normal x, relative error below 3e-7: Newton's iteration y ← y(3 − xy²)/2
/// three times from the linear guess that halves and negates the exponent (first error 3.5 %).
@inline(__always)
package func inverseSquareRootLanes(_ x: FloatLanes) -> FloatLanes {
  let guess = 0x5F37_5A86 &- (unsafeBitCast(x, to: IntLanes.self) &>> 1)
  var y = unsafeBitCast(guess, to: FloatLanes.self)
  let half = x * 0.5
  y = y * (1.5 - half * y * y)
  y = y * (1.5 - half * y * y)
  return y * (1.5 - half * y * y)
}
