/// ln x for finite positive normal x: error below 1.5e-7·max(|ln x|, |x − 1|), so that it is
/// relative near 1.
///
/// x = 2ⁿ m with m in [√½, √2): subtracting the bits of √½ before the shift makes n the exponent
/// relative to that interval. ln m = f − f²/2 + f³ P(f), f = m − 1, P the least-squares polynomial of
/// degree 8 on Chebyshev points, fitted to 40-digit values. There is no division.
@inlinable @inline(__always)
package func logarithm(_ x: Vector) -> Vector {
  let bits = unsafeBitCast(x, to: SIMD16<Int32>.self)
  let n = (bits &- 0x3F35_04F3) &>> 23
  let m = unsafeBitCast(bits &- (n &<< 23), to: Vector.self)
  // n as a Float: the integer added to the bits of 3·2²².
  let shifted = n &+ unsafeBitCast(all(12_582_912), to: SIMD16<Int32>.self)
  let exponent = unsafeBitCast(shifted, to: Vector.self) - all(12_582_912)
  let f = m - all(1)
  var p = multiplyAdd(f, all(7.247_778_72e-2), all(-1.172_950_83e-1))
  p = multiplyAdd(p, f, all(1.169_497_85e-1))
  p = multiplyAdd(p, f, all(-1.238_899_47e-1))
  p = multiplyAdd(p, f, all(1.424_431_22e-1))
  p = multiplyAdd(p, f, all(-1.666_938_38e-1))
  p = multiplyAdd(p, f, all(2.000_090_07e-1))
  p = multiplyAdd(p, f, all(-2.499_997_90e-1))
  p = multiplyAdd(p, f, all(3.333_333_03e-1))
  let square = f * f
  let series = f - (square * all(0.5) - p * f * square)
  // ln 2 in two parts (Cody and Waite), as in `exponential`.
  return multiplyAdd(
    exponent, all(0.693_359_375), multiplyAdd(exponent, all(-2.121_944_4e-4), series))
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|).
@inlinable @inline(__always)
package func softplus(_ x: Vector) -> Vector {
  let positive = x .> Vector(repeating: 0)
  let magnitude = select(positive, x, -x)
  return select(positive, x, Vector(repeating: 0))
    + logarithm(all(1) + exponential(all(0) - magnitude))
}

/// tanh x = 2/(1 + e^−2x) − 1, error ≤ 1.2e-7 absolute.
@inlinable @inline(__always)
package func hyperbolicTangent(_ x: Vector) -> Vector { logistic(x + x) * all(2) - all(1) }

/// 1/√x for finite positive normal x, relative error below 3e-7: Newton's iteration y ← y(3 − xy²)/2
/// three times from the linear guess that halves and negates the exponent (first error 3.5 %).
@inlinable @inline(__always)
package func inverseSquareRoot(_ x: Vector) -> Vector {
  let guess = 0x5F37_5A86 &- (unsafeBitCast(x, to: SIMD16<Int32>.self) &>> 1)
  var y = unsafeBitCast(guess, to: Vector.self)
  let half = x * 0.5
  y = y * (1.5 - half * y * y)
  y = y * (1.5 - half * y * y)
  return y * (1.5 - half * y * y)
}

/// `a` where the mask is set, else `b`.
@inlinable @inline(__always)
package func select(_ mask: Mask, _ a: Vector, _ b: Vector) -> Vector {
  b.replacing(with: a, where: mask)
}
