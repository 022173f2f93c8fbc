import Numerics
import Randomness

/// A layer that bends the code along a few orthonormal directions, each by a monotonic
/// rational-quadratic spline of its own (Dai and Seljak 2021, eqs. 9–11).
///
/// `slicedSpline`, r = `directions`, n = bins: y = x + Aᵀ(ψ(A x) − A x), ℓ = Σ_k ln ψ_k'((A x)_k).
/// A [r, K] is `directions` with its rows made orthonormal by Gram and Schmidt, first row first; what a
/// file holds is orthonormal within 10⁻³ already. ψ_k of coordinate (A x)_k goes through the points
/// (X_j, Y_j) = (`knots`[k, j], `values`[k, j]) with the slopes δ_j = `slopes`[k, j], j = 0 … n, between
/// them by the y and y' of `SplineCoupling`, and straight on beyond the ends: y = Y_0 + δ_0·(x − X_0) for
/// x < X_0, y = Y_n + δ_n·(x − X_n) for x > X_n. Both knots and values rise by at least 10⁻⁶ from one to
/// the next; slopes lie in [10⁻⁴, 10⁴]. Training by gradient descent leaves the layer alone. Fresh, the
/// identity along the first r coordinates, with knots evenly over [−3, 3].
public struct SlicedSpline: FlowLayerKind {
  static let operation = "slicedSpline"

  /// r, the number of directions, 1 ... K.
  public var directions: Int
  /// Number of bins of each spline, 2 ... 64.
  public var bins: Int

  public init(directions: Int, bins: Int = 16) {
    self.directions = directions
    self.bins = bins
  }

  func fault(dimension: Int) -> String? {
    if !(1...dimension ~= directions) {
      return "directions = \(directions), expected 1 ... \(dimension)"
    }
    return 2...64 ~= bins ? nil : "bins = \(bins), expected 2 ... 64"
  }

  func multiplyAdds(dimension: Int) -> Int { 2 * directions * dimension }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let dimension = places.dimension
    return SlicedSplineSlots(
      dimension: dimension, directionCount: directions, bins: bins,
      directions: places.add("directions", directions, dimension),
      knots: places.add("knots", directions, bins + 1),
      values: places.add("values", directions, bins + 1),
      slopes: places.add("slopes", directions, bins + 1))
  }
}

/// Extents and offsets of a `slicedSpline`.
struct SlicedSplineSlots: NonlinearFlowLayer {
  let dimension: Int
  let directionCount: Int
  let bins: Int
  let directions: Int
  let knots: Int
  let values: Int
  let slopes: Int

  /// The least rise from knot to knot, in x and in y, and the range of slopes.
  static let leastRise: Float = 1e-6
  static let slopeRange: ClosedRange<Float> = 1e-4...1e4

  /// Why the layer's numbers, all finite, make no bijection; nil when they do. O(r² K).
  func fault(in parameters: [Float]) -> String? {
    let rows = parameters[directions..<directions + directionCount * dimension]
    if let (first, second) = nonOrthonormalRows(rows, columns: dimension) {
      return "its directions \(first) and \(second) are not orthonormal"
    }
    for row in 0..<directionCount {
      let start = row * (bins + 1)
      for (name, tensor) in [("knots", knots), ("values", values)] {
        for place in tensor + start..<tensor + start + bins
        where !(parameters[place + 1] - parameters[place] >= Self.leastRise) {
          return "its \(name) of direction \(row) do not rise"
        }
        let ends = [parameters[tensor + start], parameters[tensor + start + bins]]
        if ends.contains(where: { abs($0) > 1e6 }) {
          return "its \(name) of direction \(row) are beyond a million"
        }
      }
      if !parameters[slopes + start...slopes + start + bins].allSatisfy(Self.slopeRange.contains) {
        return "a slope of direction \(row) is outside \(Self.slopeRange)"
      }
    }
    return nil
  }

  var decayedWeights: [Range<Int>] { [] }
  var numbersPerLane: Int { 4 * directionCount }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    SlicedSplineLayer(.fromParameters(self), columns: columns, lanes: lanes)
  }

  func packed(_ parameters: [Float]) -> any PackedFlowLayer {
    parameters.withUnsafeBufferPointer {
      PackedSlicedSpline(self, parameters: $0.baseAddress!)
    }
  }

  /// ψ(s) = s along the first coordinates.
  func initialize(_ parameters: inout [Float], key: RandomKey) {
    for row in 0..<directionCount {
      parameters[directions + row * dimension + row] = 1
      for knot in 0...bins {
        let place = row * (bins + 1) + knot
        parameters[knots + place] = -3 + 6 * Float(knot) / Float(bins)
        parameters[values + place] = parameters[knots + place]
        parameters[slopes + place] = 1
      }
    }
  }
}

/// The first two rows D_i, D_j, i ≤ j, of a matrix whose product is off that of orthonormal rows by more
/// than 10⁻³; nil where there are none.
func nonOrthonormalRows(_ matrix: ArraySlice<Float>, columns: Int) -> (Int, Int)? {
  let start = matrix.startIndex
  for row in 0..<matrix.count / columns {
    for other in 0...row {
      var product = row == other ? -1.0 : 0
      for k in 0..<columns {
        product +=
          Double(matrix[start + row * columns + k]) * Double(matrix[start + other * columns + k])
      }
      if abs(product) > 1e-3 { return (other, row) }
    }
  }
  return nil
}

/// The rows of a matrix [rows, columns] made orthonormal by Gram and Schmidt, first row first: Q of
/// D = L Q with L lower triangular and positive on its diagonal. Each row is freed of the others twice,
/// which leaves errors of 10⁻¹⁶ (Giraud et al. 2005). O(rows² · columns).
/// - Precondition: the rows are linearly independent.
package func orthonormalRows(_ matrix: [Double], columns: Int) -> [Double] {
  var result = matrix
  for row in 0..<matrix.count / columns {
    let start = row * columns
    for _ in 0..<2 {
      for other in 0..<row {
        var product = 0.0
        for k in 0..<columns { product += result[start + k] * result[other * columns + k] }
        for k in 0..<columns { result[start + k] -= product * result[other * columns + k] }
      }
    }
    var square = 0.0
    for k in 0..<columns { square += result[start + k] * result[start + k] }
    let scale = 1 / square.squareRoot()
    precondition(scale.isFinite, "a row depends on those before it")
    for k in 0..<columns { result[start + k] *= scale }
  }
  return result
}
