import Networks
import Numerics
import Tensors

/// Monotonic rational-quadratic splines on [−bound, bound], the identity outside; one for each
/// element and lane. C¹ everywhere; nothing in it grows with |x|.
final class SplineTransform: ElementwiseTransform {
  private let parameters: SplineParameters
  private let elements: Int
  private let columns: Int
  /// Kept for the vjp, per (element, lane): bin index (−1 outside), ξ, width, height, end slopes.
  private let saved: [FloatBuffer]

  init(bins: Int, bound: Float, elements: Int, columns: Int) {
    parameters = SplineParameters(bins: bins, bound: bound, columns: columns)
    self.elements = elements
    self.columns = columns
    saved = (0..<6).map { _ in FloatBuffer(elements * columns) }
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { index, column, row in
      let value = load(x + index)
      let inside = isInside(value)
      parameters.makeProbabilities(theta + row)
      let place = parameters.locate(select(inside, value, .zero), theta + row, amongHeights: false)
      let (fraction, derivative) = place.bin.value(place.fraction)
      let result = place.bottom + place.bin.height * fraction
      store(select(inside, result, value), y + index)
      let log = select(inside, logarithm(derivative), .zero)
      store(load(logDeterminants + column) + log, logDeterminants + column)
      save(index, inside, place, xi: place.fraction)
    }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    theta: UnsafePointer<Float>, dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { index, column, row in
      let (bin, k, xi) = saved(at: index)
      let inside = k .>= Vector.zero
      let dy = load(cotangent + index)
      let cotangents = bin.cotangents(
        select(inside, dy, .zero), select(inside, load(dLogDeterminants + column), .zero), xi: xi)
      store(select(inside, cotangents.x, dy), cotangent + index)
      parameters.pullBack(
        cotangents, index: k, bin: bin, theta: theta + row, into: dTheta + row)
    }
  }

  func generate(
    _ values: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { index, _, row in
      let value = load(values + index)
      let inside = isInside(value)
      parameters.makeProbabilities(theta + row)
      let place = parameters.locate(select(inside, value, .zero), theta + row, amongHeights: true)
      let xi = place.bin.inverse(place.fraction)
      store(select(inside, place.left + place.bin.width * xi, value), values + index)
      save(index, inside, place, xi: xi)
    }
  }

  func generateVJP(
    _ cotangent: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafePointer<Float>,
    dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { index, _, row in
      let (bin, k, xi) = saved(at: index)
      let inside = k .>= Vector.zero
      let dx = load(cotangent + index)
      let dy = dx / bin.value(xi).derivative
      let cotangents = bin.cotangents(select(inside, -dy, .zero), .zero, xi: xi)
      store(select(inside, dy, dx), cotangent + index)
      parameters.pullBack(
        cotangents, index: k, bin: bin, theta: theta + row, into: dTheta + row)
    }
  }

  @inline(__always)
  private func isInside(_ value: Vector) -> Mask {
    let bound = Vector(repeating: parameters.bound)
    return (value .<= bound) .& (value .>= -bound)
  }

  @inline(__always)
  private func save(
    _ index: Int, _ inside: Mask, _ place: SplineParameters.Location, xi: Vector
  ) {
    store(select(inside, place.index, Vector(repeating: -1)), saved[0].pointer + index)
    store(xi, saved[1].pointer + index)
    store(place.bin.width, saved[2].pointer + index)
    store(place.bin.height, saved[3].pointer + index)
    store(place.bin.slope0, saved[4].pointer + index)
    store(place.bin.slope1, saved[5].pointer + index)
  }

  @inline(__always)
  private func saved(at index: Int) -> (bin: RationalQuadraticBin, k: Vector, xi: Vector) {
    let bin = RationalQuadraticBin(
      width: load(saved[2].pointer + index), height: load(saved[3].pointer + index),
      slope0: load(saved[4].pointer + index), slope1: load(saved[5].pointer + index))
    return (bin, load(saved[0].pointer + index), load(saved[1].pointer + index))
  }

  /// Calls `body` with the place of sixteen lanes in x, in a row of lanes, and in θ.
  @inline(__always)
  private func forEachBlock(
    _ elements: Range<Int>, _ body: (_ index: Int, _ column: Int, _ row: Int) -> Void
  ) {
    let count = 3 * parameters.bins - 1
    for element in elements {
      for column in stride(from: 0, to: columns, by: 16) {
        body(element &* columns &+ column, column, element &* count &* columns &+ column)
      }
    }
  }
}
