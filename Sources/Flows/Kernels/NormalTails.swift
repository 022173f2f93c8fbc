import Numerics

// The normal distribution far out, in sixteen lanes. With φ its density, Q(a) = ∫_a^∞ φ the upper tail
// and m(a) = Q(a)/φ(a) Mills' ratio, every product of two small numbers is a sum of logarithms:
//
//     ln Q(a) = −a²/2 − ½ ln 2π + ln m(a),    d ln Q/da = −1/m(a)

/// m(a) for a ≥ 0 (to −10⁻³), relative error ≤ 3e-7: 1.2533 at 0, falling as 1/a.
///
/// (1 + a) m(a) is smooth in q = (a − 3)/(a + 3), which takes [0, ∞) to [−1, 1); a Chebyshev fit of degree
/// 10 leaves 1.4e-8. The substitution is that of Shepherd and Laframboise (Math. Comp. 36, 1981).
@inline(__always)
func millsRatio(_ a: Vector) -> Vector {
  let q = (a - all(3)) / (a + all(3))
  var p = multiplyAdd(all(1.496_934_7e-4), q, all(8.967_488_95e-5))
  p = multiplyAdd(p, q, all(-1.188_158_64e-3))
  p = multiplyAdd(p, q, all(-9.159_023_77e-4))
  p = multiplyAdd(p, q, all(7.486_539_86e-3))
  p = multiplyAdd(p, q, all(2.917_850_02e-3))
  p = multiplyAdd(p, q, all(-5.696_175_23e-2))
  p = multiplyAdd(p, q, all(0.113_207_963))
  p = multiplyAdd(p, q, all(-4.119_044_98e-2))
  p = multiplyAdd(p, q, all(-0.241_956_655))
  p = multiplyAdd(p, q, all(1.218_361_21))
  return p / (all(1) + a)
}

/// ln Q(a) + a²/2 = ln m(a) − ½ ln 2π, given m(a).
@inline(__always)
func logTailFactor(_ mills: Vector) -> Vector { logarithm(mills * all(0.398_942_28)) }

/// a ≥ 0 (to rounding) with ln Q(a) = `logTail` ≤ ln ½, and m(a).
///
/// Abramowitz and Stegun 26.2.23, an error of 4.5e-4, then Newton's method on ln Q, twice:
/// a ← a + m(a)·(ln Q(a) − logTail). ln Q is concave with |m'| ≤ 1, so that each step squares the error.
@inline(__always)
func tailQuantile(_ logTail: Vector) -> (a: Vector, mills: Vector) {
  let t = squareRoot(all(-2) * logTail)
  let above = multiplyAdd(multiplyAdd(all(0.010_328), t, all(0.802_853)), t, all(2.515_517))
  var below = multiplyAdd(all(0.001_308), t, all(0.189_269))
  below = multiplyAdd(multiplyAdd(below, t, all(1.432_788)), t, all(1))
  let guess = t - above / below
  var a = select(guess .> all(0), guess, all(0))
  var mills = millsRatio(a)
  for _ in 0..<2 {
    a += mills * (multiplyAdd(all(-0.5) * a, a, logTailFactor(mills)) - logTail)
    mills = millsRatio(a)
  }
  return (a, mills)
}
