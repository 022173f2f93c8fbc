import Networks
import Numerics

/// One bin of a monotonic rational-quadratic spline (Gregory and Delbourgo 1982; Durkan et al.
/// 2019, eqs. 4–8) in sixteen lanes: from (left, bottom), width w and height h, slopes δ_0 and δ_1
/// at its ends. With ξ in [0, 1] across the bin, r = 1 − ξ, q = ξ r, s = h/w:
///
///     D = s + (δ_0 + δ_1 − 2s) q = s (ξ² + r²) + (δ_0 + δ_1) q        sums of positive terms
///     y = bottom + h g,  g = (s ξ² + δ_0 q)/D
///     y' = s² N/D²,      N = δ_1 ξ² + 2 s q + δ_0 r²
struct RationalQuadraticBin {
  var width: Vector
  var height: Vector
  var slope0: Vector
  var slope1: Vector

  /// Cotangents of one bin's numbers and of x.
  struct Cotangents {
    var x: Vector
    var left: Vector
    var width: Vector
    var bottom: Vector
    var height: Vector
    var slope0: Vector
    var slope1: Vector
  }

  /// (y − bottom)/h and y' at ξ.
  @inline(__always)
  func value(_ xi: Vector) -> (fraction: Vector, derivative: Vector) {
    let s = height / width
    let r = all(1) - xi
    let q = xi * r
    let denominator = s * (xi * xi + r * r) + (slope0 + slope1) * q
    let fraction = (s * xi * xi + slope0 * q) / denominator
    let ratio = s / denominator
    let derivative = ratio * ratio * (slope1 * xi * xi + (s + s) * q + slope0 * r * r)
    return (fraction, derivative)
  }

  /// ξ where (y − bottom)/h = t in [0, 1].
  ///
  /// g = t is a ξ² + b ξ + c = 0 with (divided by h) c = −s t, a = s − b and
  /// b = δ_0 (1−t) − δ_1 t + 2 s t. Put p = δ_0 (1−t), m = δ_1 t: the discriminant is
  /// b² + 4 s t (s − b) = (b − 2 s t)² + 4 s² t (1−t) = (p − m)² + 4 s² t (1−t) = R²: no term is
  /// subtracted that is not small. ξ = 2 s t/(b + R) = 2 s t/(2 s t + A), A = p − m + R ≥ 0; where
  /// p < m, A = 4 s² t (1−t)/(R + m − p) has no cancellation.
  @inline(__always)
  func inverse(_ t: Vector) -> Vector {
    let s = height / width
    let p = slope0 * (all(1) - t)
    let m = slope1 * t
    let product = (s + s) * (s + s) * (t * (all(1) - t))
    let difference = p - m
    let rising = difference .>= Vector(repeating: 0)
    let magnitude = select(rising, difference, -difference)
    let sum = magnitude + (difference * difference + product).squareRoot()
    let a = select(rising, sum, product / sum)
    let twice = (s + s) * t
    return twice / (twice + a)
  }

  /// Cotangents from those of y and of ℓ = ln y' = 2 ln s + ln N − 2 ln D, at ξ:
  ///
  ///     bottom̄ = ȳ,  ḡ = ȳ h,  P̄ = ḡ/D (P = s ξ² + δ_0 q),  D̄ = −(ḡ g + 2 ℓ̄)/D,  N̄ = ℓ̄/N
  ///     δ̄_0 = (P̄ + D̄) q + N̄ r²,  δ̄_1 = D̄ q + N̄ ξ²
  ///     s̄ = 2 ℓ̄/s + P̄ ξ² + D̄ (ξ² + r²) + 2 N̄ q
  ///     ξ̄ = P̄ (2 s ξ + δ_0 (1−2ξ)) + D̄ (δ_0 + δ_1 − 2s)(1−2ξ) + 2 N̄ (δ_1 ξ + s (1−2ξ) − δ_0 r)
  ///     x̄ = ξ̄/w,  left̄ = −x̄,  w̄ = −x̄ ξ − s̄ s/w,  h̄ = ȳ g + s̄/w
  @inline(__always)
  func cotangents(_ dy: Vector, _ dLogDerivative: Vector, xi: Vector) -> Cotangents {
    let s = height / width
    let r = all(1) - xi
    let q = xi * r
    let xi2 = xi * xi
    let skew = r - xi
    let denominator = s * (xi2 + r * r) + (slope0 + slope1) * q
    let g = (s * xi2 + slope0 * q) / denominator
    let n = slope1 * xi2 + (s + s) * q + slope0 * r * r
    let dG = dy * height
    let dP = dG / denominator
    let dD = -(dG * g + dLogDerivative + dLogDerivative) / denominator
    let dN = dLogDerivative / n
    // Two times dN and dℓ.
    let dN2 = dN + dN
    let dL2 = dLogDerivative + dLogDerivative
    var dS = dL2 / s + dP * xi2
    dS += dD * (r * r + xi2) + dN2 * q
    var dXi = dP * (s * (xi + xi) + slope0 * skew)
    dXi += dD * (slope0 + slope1 - s - s) * skew
    dXi += dN2 * (slope1 * xi + s * skew - slope0 * r)
    let dX = dXi / width
    let dRatio = dS / width
    return Cotangents(
      x: dX, left: -dX, width: -(dX * xi + dRatio * s), bottom: dy, height: dy * g + dRatio,
      slope0: (dP + dD) * q + dN * (r * r), slope1: dD * q + dN * xi2)
  }
}
