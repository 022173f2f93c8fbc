import Networks
import Numerics
import Tensors

/// r monotonic rational-quadratic splines with straight tails, in sixteen lanes; formulas at
/// `SlicedSpline`. Immutable.
///
/// Table of direction k, from 6·n·k: for each of n bins left, bottom, width, height and the slopes at
/// its two ends.
final class TailedSplines: @unchecked Sendable {
  let bins: Int
  private let table: FloatBuffer

  init(_ slots: SlicedSplineSlots, parameters: UnsafePointer<Float>) {
    bins = slots.bins
    table = FloatBuffer(6 * bins * slots.directionCount)
    for row in 0..<slots.directionCount {
      for bin in 0..<bins {
        let place = row * (bins + 1) + bin
        let entry = table.pointer + 6 * (row * bins + bin)
        entry[0] = parameters[slots.knots + place]
        entry[1] = parameters[slots.values + place]
        entry[2] = parameters[slots.knots + place + 1] - entry[0]
        entry[3] = parameters[slots.values + place + 1] - entry[1]
        entry[4] = parameters[slots.slopes + place]
        entry[5] = parameters[slots.slopes + place + 1]
      }
    }
  }

  /// Where a value falls: its bin, its place 0 … 1 across it, and what lies beyond the ends.
  struct Location {
    var bin: RationalQuadraticBin
    var fraction: Vector
    var left: Vector
    var bottom: Vector
    /// Whether the value is on a tail, and then the corner where the tail begins and its slope.
    var isTail: Mask
    var cornerX: Vector
    var cornerY: Vector
    var tailSlope: Vector
  }

  /// Every lane walks all bins and keeps the last whose lower knot is not above the value: no branch
  /// depends on data.
  @inline(__always)
  func locate(_ value: Vector, direction: Int, amongValues: Bool) -> Location {
    let first = UnsafePointer(table.pointer) + 6 &* bins &* direction
    var (left, bottom) = (all(first[0]), all(first[1]))
    var (width, height) = (all(first[2]), all(first[3]))
    var (slope0, slope1) = (all(first[4]), all(first[5]))
    for bin in 1..<bins {
      let entry = first + 6 &* bin
      let inside = value .>= all(amongValues ? entry[1] : entry[0])
      left = select(inside, all(entry[0]), left)
      bottom = select(inside, all(entry[1]), bottom)
      width = select(inside, all(entry[2]), width)
      height = select(inside, all(entry[3]), height)
      slope0 = select(inside, all(entry[4]), slope0)
      slope1 = select(inside, all(entry[5]), slope1)
    }
    let raw = amongValues ? (value - bottom) / height : (value - left) / width
    let last = first + 6 &* (bins &- 1)
    let below = raw .< all(0)
    let above = raw .> all(1)
    let fraction = select(below, all(0), select(above, all(1), raw))
    // Rounding may take a value a few ulps past an inner knot: only the outer ones begin a tail.
    let isLow = below .& (left .== all(first[0]))
    let isHigh = above .& (left .== all(last[0]))
    return Location(
      bin: RationalQuadraticBin(width: width, height: height, slope0: slope0, slope1: slope1),
      fraction: fraction, left: left, bottom: bottom, isTail: isLow .| isHigh,
      cornerX: select(isHigh, all(last[0] + last[2]), all(first[0])),
      cornerY: select(isHigh, all(last[1] + last[3]), all(first[1])),
      tailSlope: select(isHigh, slope1, slope0))
  }

  /// y = ψ(x), y' and (ln y')'.
  @inline(__always)
  func value(
    _ x: Vector, direction: Int
  ) -> (y: Vector, derivative: Vector, logSlope: Vector) {
    let place = locate(x, direction: direction, amongValues: false)
    let (fraction, derivative) = place.bin.value(place.fraction)
    let inner = place.bottom + place.bin.height * fraction
    let tail = place.cornerY + place.tailSlope * (x - place.cornerX)
    let logSlope = place.bin.cotangents(all(0), all(1), xi: place.fraction).x
    return (
      select(place.isTail, tail, inner), select(place.isTail, place.tailSlope, derivative),
      select(place.isTail, all(0), logSlope)
    )
  }

  /// x = ψ⁻¹(y), and y' there.
  @inline(__always)
  func inverse(_ y: Vector, direction: Int) -> (x: Vector, derivative: Vector) {
    let place = locate(y, direction: direction, amongValues: true)
    let xi = place.bin.inverse(place.fraction)
    let inner = place.left + place.bin.width * xi
    let tail = place.cornerX + (y - place.cornerY) / place.tailSlope
    return (
      select(place.isTail, tail, inner),
      select(place.isTail, place.tailSlope, place.bin.value(xi).derivative)
    )
  }
}
