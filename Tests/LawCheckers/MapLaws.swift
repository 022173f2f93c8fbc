import Foundation
import Maps
import Randomness
import Tensors

/// The largest |⟨A x, y⟩ − ⟨x, Aᵀ y⟩| over the lanes, relative to the sum of |products| on the left
/// and right: of the order of the single-precision rounding, 6e-8 times a small factor, when the
/// law of `LinearOperator` holds. Checks each lane, so a skipped last lane is seen.
public func checkAdjoint(
  _ map: some LinearOperator, lanes: Int = 3, key: RandomKey
) throws -> Double {
  let (n, m) = (map.domain.count, map.codomain.count)
  let plan = try map.makePlan(lanes: lanes)
  let x = normals(lanes * n, key.child("x"))
  let y = normals(lanes * m, key.child("y"))
  var image = [Float](repeating: .nan, count: lanes * m)
  var pulled = [Float](repeating: .nan, count: lanes * n)
  var output = image.mutableSpan
  plan.apply(x.span, into: &output)
  var back = pulled.mutableSpan
  plan.vjp(y.span, into: &back)
  var worst = 0.0
  for lane in 0..<lanes {
    let left = products(image[lane * m..<(lane + 1) * m], y[lane * m..<(lane + 1) * m])
    let right = products(x[lane * n..<(lane + 1) * n], pulled[lane * n..<(lane + 1) * n])
    let error = abs(left.sum - right.sum) / max(left.size + right.size, .leastNormalMagnitude)
    worst = error.isNaN ? .infinity : max(worst, error)
  }
  return worst
}

/// What `checkVectorJacobianProduct` measured.
public struct VectorJacobianProductReport: Sendable {
  /// Largest over the lanes of |⟨vjp(dy), v⟩ − central difference| / scale, at the finer step of the
  /// extrapolated pair (Richardson: the h² term removed).
  public var extrapolatedError: Double
  /// log₂ of the ratio of the summed errors at steps h and h/2: 2 when the error falls as h². NaN
  /// when both errors are at the rounding floor, as for a linear map, where only the error counts.
  public var slope: Double
}

/// Compares ⟨vjp(dy), v⟩ with central differences of ⟨dy, m(x + t·v)⟩ at t = ±h and ±h/2, for random
/// x (around `center`), v and dy. Errors are relative to
/// Σ|dy_i| |m_i(x + hv) − m_i(x − hv)|/2h at the finer h.
///
/// Differences of single-precision values carry a rounding error of about 1e-7/h, so `step` must be
/// large enough that the h² term stands above it; then a wrong vjp cannot hide behind the slope.
public func checkVectorJacobianProduct(
  _ map: some DifferentiableMap, lanes: Int = 3, step: Double, center: [Float]? = nil,
  key: RandomKey
) throws -> VectorJacobianProductReport {
  let (n, m) = (map.domain.count, map.codomain.count)
  let plan = try map.makePlan(lanes: lanes)
  var x = normals(lanes * n, key.child("x"))
  if let center { for index in x.indices { x[index] = center[index % n] + 0.1 * x[index] } }
  let direction = normals(lanes * n, key.child("v"))
  let dy = normals(lanes * m, key.child("dy"))

  func image(_ t: Double) -> [Float] {
    let moved = zip(x, direction).map { Float(Double($0) + t * Double($1)) }
    var values = [Float](repeating: .nan, count: lanes * m)
    var output = values.mutableSpan
    plan.apply(moved.span, into: &output)
    return values
  }
  /// Central difference of ⟨dy, m⟩ for each lane, and its scale.
  func difference(_ h: Double) -> [(value: Double, size: Double)] {
    let (above, below) = (image(h), image(-h))
    return (0..<lanes).map { lane in
      var (value, size) = (0.0, 0.0)
      for index in lane * m..<(lane + 1) * m {
        let term = Double(dy[index]) * (Double(above[index]) - Double(below[index])) / (2 * h)
        value += term
        size += abs(term)
      }
      return (value, max(size, .leastNormalMagnitude))
    }
  }

  let (coarse, fine) = (difference(step), difference(step / 2))
  _ = image(0)
  var pulled = [Float](repeating: .nan, count: lanes * n)
  var back = pulled.mutableSpan
  plan.vjp(dy.span, into: &back)
  var (errorCoarse, errorFine, worst) = (0.0, 0.0, 0.0)
  for lane in 0..<lanes {
    let range = lane * n..<(lane + 1) * n
    let exact = products(pulled[range], direction[range]).sum
    errorCoarse += abs(coarse[lane].value - exact) / fine[lane].size
    errorFine += abs(fine[lane].value - exact) / fine[lane].size
    let extrapolated = (4 * fine[lane].value - coarse[lane].value) / 3
    let error = abs(extrapolated - exact) / fine[lane].size
    worst = error.isNaN ? .infinity : max(worst, error)
  }
  let floor = 1e-6 / step
  let slope = errorCoarse > floor ? log2(errorCoarse / errorFine) : .nan
  return VectorJacobianProductReport(extrapolatedError: worst, slope: slope)
}

private func normals(_ count: Int, _ key: RandomKey) -> [Float] {
  var stream = key.stream()
  return stream.normals(count).map { Float($0) }
}

private func products(
  _ a: ArraySlice<Float>, _ b: ArraySlice<Float>
) -> (sum: Double, size: Double) {
  var (sum, size) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    sum += Double(x) * Double(y)
    size += abs(Double(x) * Double(y))
  }
  return (sum, size)
}
