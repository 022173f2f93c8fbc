import Maps
import Randomness
import Tensors

/// What `checkAdjoint` may find in single precision: rounding of some tens of terms of 6e-8.
package let adjointBound = 1e-6

/// A x for as many lanes as `x` holds; NaN where a plan wrote nothing.
package func image(_ map: some DifferentiableMap, _ x: [Float]) throws -> [Float] {
  let lanes = x.count / map.domain.count
  var values = [Float](repeating: .nan, count: lanes * map.codomain.count)
  var output = values.mutableSpan
  try map.makePlan(lanes: lanes).apply(x.span, into: &output)
  return values
}

/// Aᵀ y, likewise.
package func pulledBack(_ map: some DifferentiableMap, _ y: [Float]) throws -> [Float] {
  let lanes = y.count / map.codomain.count
  var values = [Float](repeating: .nan, count: lanes * map.domain.count)
  var output = values.mutableSpan
  try map.makePlan(lanes: lanes).vjp(y.span, into: &output)
  return values
}

/// Standard normal values.
package func randomValues(_ count: Int, seed: UInt64) -> [Float] {
  var stream = RandomKey(seed: seed).stream()
  return stream.normals(count).map { Float($0) }
}

/// A kernel without any symmetry, so that a lost conjugate or a transposed axis shows; the sum of its
/// elements is about a third of that of their magnitudes, far from zero.
package func crookedKernel(_ rows: Int, _ columns: Int) -> Tensor {
  let values = (0..<rows * columns).map { index -> Float in
    let value = Float((index * 7 + 3) % 11) / 10 + 0.05
    return index % 3 == 2 ? -value / 2 : value
  }
  return Tensor(shape: Shape(rows, columns), values: values)
}

/// The message of the `PlanError` that `body` throws, or nil.
package func refusal(_ body: () throws -> Void) -> String? {
  do { try body() } catch { return (error as? PlanError)?.description }
  return nil
}

/// The largest |a_i − b_i|; infinite when a value is NaN or the counts differ.
package func largestDifference(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  var worst = 0.0
  for (x, y) in zip(a, b) {
    let difference = abs(Double(x) - y)
    worst = difference.isNaN ? .infinity : max(worst, difference)
  }
  return worst
}
