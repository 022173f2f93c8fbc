import Flows
import Foundation
import Maps
import Tensors

/// How far a bijection is from its laws at a few points; every number is 0 in exact arithmetic.
package struct BijectionDeviations {
  /// max |T(f(z)) − z| and max |f(T(u)) − u|.
  package var codes: Float = 0
  package var base: Float = 0
  /// max |ℓ − ln|det J||, J = ∂f/∂z dense from its vjps, nats.
  package var logDeterminant: Double = 0
  /// max |J_T J_f − I|, both dense from their vjps.
  package var inverseJacobian: Double = 0
}

/// The laws of `Bijection` at the rows of `codes`, lanes × K, and at `base`, of the same extents.
package func bijectionDeviations(
  _ bijection: any Bijection, codes: [Float], base: [Float]
) throws -> BijectionDeviations {
  let dimension = bijection.dimension
  let lanes = codes.count / dimension
  let normalizing = try bijection.makeNormalizingPlan(lanes: lanes)
  let generating = try bijection.generator.makePlan(lanes: lanes)
  let (u, logDeterminants) = normalize(normalizing, codes, lanes: lanes)
  var result = BijectionDeviations()
  let (again, _) = normalize(normalizing, apply(generating, base), lanes: lanes)
  result.base = zip(again, base).map { abs($0 - $1) }.max() ?? 0
  _ = normalize(normalizing, codes, lanes: lanes)
  result.codes = zip(apply(generating, u), codes).map { abs($0 - $1) }.max() ?? 0
  var forward = [[Double]](
    repeating: Array(repeating: 0, count: dimension * dimension), count: lanes)
  var backward = forward
  let zero = [Float](repeating: 0, count: lanes)
  for row in 0..<dimension {
    var unit = [Float](repeating: 0, count: lanes * dimension)
    for lane in 0..<lanes { unit[lane * dimension + row] = 1 }
    var dz = unit
    var target = dz.mutableSpan
    normalizing.vjp(unit.span, zero.span, into: &target)
    var du = unit
    target = du.mutableSpan
    generating.vjp(unit.span, into: &target)
    for lane in 0..<lanes {
      for column in 0..<dimension {
        forward[lane][row * dimension + column] = Double(dz[lane * dimension + column])
        backward[lane][row * dimension + column] = Double(du[lane * dimension + column])
      }
    }
  }
  for lane in 0..<lanes {
    let dense = logAbsDeterminant(forward[lane], dimension)
    result.logDeterminant = max(
      result.logDeterminant, abs(dense - Double(logDeterminants[lane])))
    for row in 0..<dimension {
      for column in 0..<dimension {
        var entry = row == column ? -1.0 : 0
        for inner in 0..<dimension {
          entry +=
            backward[lane][row * dimension + inner] * forward[lane][inner * dimension + column]
        }
        result.inverseJacobian = max(result.inverseJacobian, abs(entry))
      }
    }
  }
  return result
}

/// u and ln|det| of a plan.
package func normalize(
  _ plan: any NormalizingPlan, _ z: [Float], lanes: Int
) -> (u: [Float], logDeterminants: [Float]) {
  var u = z
  var logDeterminants = [Float](repeating: .nan, count: lanes)
  var target = u.mutableSpan
  var logs = logDeterminants.mutableSpan
  plan.apply(z.span, into: &target, logDeterminants: &logs)
  return (u, logDeterminants)
}

package func apply(_ plan: any MapPlan, _ x: [Float]) -> [Float] {
  var y = x
  var target = y.mutableSpan
  plan.apply(x.span, into: &target)
  return y
}

/// ln|det A| by elimination with row pivots; A row-major [n, n].
package func logAbsDeterminant(_ matrix: [Double], _ n: Int) -> Double {
  var a = matrix
  var result = 0.0
  for column in 0..<n {
    let pivot = (column..<n).max { abs(a[$0 * n + column]) < abs(a[$1 * n + column]) } ?? column
    for inner in 0..<n { a.swapAt(column * n + inner, pivot * n + inner) }
    result += log(abs(a[column * n + column]))
    for row in column + 1..<max(n, column + 1) {
      let factor = a[row * n + column] / a[column * n + column]
      for inner in column..<n { a[row * n + inner] -= factor * a[column * n + inner] }
    }
  }
  return result
}
