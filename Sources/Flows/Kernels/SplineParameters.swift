import Networks
import Numerics

/// How the 3n − 1 numbers θ of one element (rows of `columns` lanes, sixteen lanes at a time) make
/// a spline of n = `bins` bins on [−bound, bound]; formulas at `SplineCoupling`. A pointer
/// below addresses sixteen lanes of row 0 of one element.
struct SplineParameters {
  let bins: Int
  let bound: Float
  let columns: Int

  /// The least width and height as a fraction of 2·bound, and the least slope (Durkan et al.'s).
  static let minimum: Float = 1e-3
  /// c = ln(e^(1 − minimum) − 1), so that minimum + softplus(0 + c) = 1.
  static let slopeShift: Float = 0.539_742_35

  /// The bin a value falls in.
  struct Location {
    var bin: RationalQuadraticBin
    /// Its index, as a number.
    var index: Vector
    /// The value's place, 0 … 1, across the bin's width or height.
    var fraction: Vector
    var left: Vector
    var bottom: Vector
  }

  /// Width of a bin of probability p is scale·p + floor.
  private var floor: Float { 2 * bound * Self.minimum }
  private var scale: Float { 2 * bound * (1 - Self.minimum * Float(bins)) }

  /// Turns the rows of widths and of heights into probabilities.
  @inline(__always)
  func makeProbabilities(_ theta: UnsafeMutablePointer<Float>) {
    softmax(theta)
    softmax(theta + bins * columns)
  }

  @inline(__always)
  private func softmax(_ rows: UnsafeMutablePointer<Float>) {
    var largest = load(rows)
    for bin in 1..<bins {
      let value = load(rows + bin &* columns)
      largest = select(value .> largest, value, largest)
    }
    var total = Vector(repeating: 0)
    for bin in 0..<bins {
      let value = exponential(load(rows + bin &* columns) - largest)
      total += value
      store(value, rows + bin &* columns)
    }
    let factor = all(1) / total
    for bin in 0..<bins { store(load(rows + bin &* columns) * factor, rows + bin &* columns) }
  }

  /// The bin where `value` lies among the knots on the x axis, or (`amongHeights`) on the y axis.
  /// Probabilities are in θ already. Every lane walks all bins and keeps the last whose lower knot
  /// is not above the value: no branch depends on data.
  @inline(__always)
  func locate(
    _ value: Vector, _ theta: UnsafePointer<Float>, amongHeights: Bool
  ) -> Location {
    let widths = theta
    let heights = theta + bins * columns
    let slopes = theta + 2 * bins * columns
    let zero = Vector(repeating: 0)
    var left = Vector(repeating: -bound)
    var bottom = left
    var width = load(widths) * scale + floor
    var height = load(heights) * scale + floor
    // θ = 0 stands for the slope 1 at the two ends.
    var raw0 = zero
    var raw1 = load(slopes)
    var index = zero
    var nextLeft = left + width
    var nextBottom = bottom + height
    for bin in 1..<bins {
      let inside = value .>= (amongHeights ? nextBottom : nextLeft)
      let binWidth = load(widths + bin &* columns) * scale + floor
      let binHeight = load(heights + bin &* columns) * scale + floor
      let rawLeft = load(slopes + (bin &- 1) &* columns)
      let rawRight = bin < bins &- 1 ? load(slopes + bin &* columns) : zero
      left = select(inside, nextLeft, left)
      bottom = select(inside, nextBottom, bottom)
      width = select(inside, binWidth, width)
      height = select(inside, binHeight, height)
      raw0 = select(inside, rawLeft, raw0)
      raw1 = select(inside, rawRight, raw1)
      index = select(inside, Vector(repeating: Float(bin)), index)
      nextLeft += binWidth
      nextBottom += binHeight
    }
    let fraction = amongHeights ? (value - bottom) / height : (value - left) / width
    // Rounding of the knots may leave the value a few ulps outside its bin.
    let one = Vector(repeating: 1)
    let below = select(fraction .> one, one, fraction)
    let bounded = select(below .> zero, below, zero)
    let bin = RationalQuadraticBin(
      width: width, height: height,
      slope0: softplus(raw0 + Self.slopeShift) + Self.minimum,
      slope1: softplus(raw1 + Self.slopeShift) + Self.minimum)
    return Location(bin: bin, index: index, fraction: bounded, left: left, bottom: bottom)
  }

  /// dθ from the cotangents of bin k's numbers, with the probabilities in θ. Knots are sums of the widths before them:
  /// with c = left̄ for bins before k, w̄ for bin k and 0 after, p̄_j = scale·c_j and through the
  /// softmax θ̄_j = p_j (p̄_j − Σ_m p_m p̄_m). A slope δ = minimum + softplus(v) has
  /// dδ/dv = σ(v) = 1 − e^−(δ − minimum).
  @inline(__always)
  func pullBack(
    _ cotangents: RationalQuadraticBin.Cotangents, index: Vector, bin: RationalQuadraticBin,
    theta: UnsafePointer<Float>, into dTheta: UnsafeMutablePointer<Float>
  ) {
    let heights = bins * columns
    pullBackSoftmax(theta, index, before: cotangents.left, at: cotangents.width, into: dTheta)
    pullBackSoftmax(
      theta + heights, index, before: cotangents.bottom, at: cotangents.height,
      into: dTheta + heights)
    let zero = Vector(repeating: 0)
    let raw0 = cotangents.slope0 * (all(1) - exponential(all(Self.minimum) - bin.slope0))
    let raw1 = cotangents.slope1 * (all(1) - exponential(all(Self.minimum) - bin.slope1))
    let slopes = dTheta + 2 * heights
    for knot in 1..<bins {
      let lower = index .== Vector(repeating: Float(knot))
      let upper = index .== Vector(repeating: Float(knot &- 1))
      store(
        select(lower, raw0, select(upper, raw1, zero)), slopes + (knot &- 1) &* columns)
    }
  }

  @inline(__always)
  private func pullBackSoftmax(
    _ rows: UnsafePointer<Float>, _ index: Vector, before: Vector, at: Vector,
    into dRows: UnsafeMutablePointer<Float>
  ) {
    let zero = Vector(repeating: 0)
    var mean = zero
    for bin in 0..<bins {
      mean += load(rows + bin &* columns) * direct(bin, index, before, at)
    }
    for bin in 0..<bins {
      let p = load(rows + bin &* columns)
      store(p * (direct(bin, index, before, at) - mean) * scale, dRows + bin &* columns)
    }
  }

  @inline(__always)
  private func direct(_ bin: Int, _ index: Vector, _ before: Vector, _ at: Vector) -> Vector {
    let place = Vector(repeating: Float(bin))
    return select(
      index .> place, before, select(index .== place, at, Vector(repeating: 0)))
  }
}
