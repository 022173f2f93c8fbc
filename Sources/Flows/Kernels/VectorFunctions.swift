import Networks

typealias Vector = SIMD16<Float>
typealias Mask = SIMDMask<SIMD16<Int32>>

/// ln x for positive normal x, error ≤ 3 ulp away from 1 and ≤ 1e-7 absolute near it.
///
/// x = 2ⁿ m with m in [√½, √2); ln m = 2 artanh t, t = (m−1)/(m+1), |t| ≤ 0.172, by its series to
/// t⁹ (the next term is t¹⁰/11 ≤ 2e-9 of the sum). Subtracting the bits of √½ before the shift
/// makes n the exponent relative to that interval.
@inline(__always)
func logarithm(_ x: Vector) -> Vector {
  let bits = unsafeBitCast(x, to: SIMD16<Int32>.self)
  let rootHalf = Int32(0x3F35_04F3)
  let n = (bits &- rootHalf) &>> 23
  let m = unsafeBitCast(bits &- (n &<< 23), to: Vector.self)
  let t = (m - all(1)) / (m + all(1))
  let t2 = t * t
  var p = multiplyAdd(t2, all(0.222_222_22), all(0.285_714_3))
  p = multiplyAdd(p, t2, all(0.4))
  p = multiplyAdd(p, t2, all(0.666_666_7))
  p = multiplyAdd(p * t2, t, t * all(2))
  // ln 2 in two parts (Cody and Waite), as in `exponential`.
  let exponent = Vector(n)
  return multiplyAdd(
    exponent, all(0.693_359_375), multiplyAdd(exponent, all(-2.121_944_4e-4), p))
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|).
@inline(__always)
func softplus(_ x: Vector) -> Vector {
  let positive = x .> Vector(repeating: 0)
  let magnitude = select(positive, x, -x)
  return select(positive, x, Vector(repeating: 0))
    + logarithm(all(1) + exponential(all(0) - magnitude))
}

/// tanh x = 2/(1 + e^−2x) − 1, error ≤ 1.2e-7 absolute.
@inline(__always)
func hyperbolicTangent(_ x: Vector) -> Vector { logistic(x + x) * all(2) - all(1) }

/// `a` where the mask is set, else `b`.
@inline(__always)
func select(_ mask: Mask, _ a: Vector, _ b: Vector) -> Vector { b.replacing(with: a, where: mask) }
