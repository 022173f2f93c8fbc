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

/// Values of one block, so that the derivative costs no second evaluation.
@frozen @usableFromInline package struct LogNormalLanes {
  /// ln Φ(x).
  @usableFromInline package var value: Vector
  /// h(x) = φ(x)/Φ(x).
  @usableFromInline package var slope: Vector

  @inlinable @inline(__always)
  package init(value: Vector, slope: Vector) {
    self.value = value
    self.slope = slope
  }
}

/// ln Φ(x) and h(x): relative error below 2e-6; ln Φ above x ≈ 0 to 1e-7 absolute, since it tends
/// to 0 there.
@inlinable @inline(__always)
package func logNormalLanes(_ x: Vector) -> LogNormalLanes {
  let zero = Vector(repeating: 0)
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
  let density = exponential(zero - halfSquare) * 0.398_942_280
  let below = x .< zero
  let kept = 1 - density / tail
  // One logarithm serves both sides: of h below, of 1 − E above.
  let logOfKept = logarithm(kept.replacing(with: tail, where: below))
  return LogNormalLanes(
    value: logOfKept.replacing(
      with: zero - (halfSquare + 0.918_938_533) - logOfKept, where: below),
    slope: (density / kept).replacing(with: tail, where: below))
}
