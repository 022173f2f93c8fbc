import Numerics

extension SlicedSplineSlots {
  /// How far stored rows may be from orthonormal, largest element of |D Dᵀ − I|.
  static let orthonormalTolerance = 1e-3
  /// The least rise from knot to knot, in x and in y, and the range of slopes.
  static let leastRise: Float = 1e-6
  static let slopeRange: ClosedRange<Float> = 1e-4...1e4

  /// Why the layer's numbers, all finite, make no bijection; nil when they do. O(r² K).
  func fault(in parameters: [Float], dimension: Int) -> String? {
    for row in 0..<directionCount {
      for other in 0...row {
        var product = row == other ? -1.0 : 0
        for k in 0..<dimension {
          product +=
            Double(parameters[directions + row * dimension + k])
            * Double(parameters[directions + other * dimension + k])
        }
        if abs(product) > Self.orthonormalTolerance {
          return "its directions \(other) and \(row) are not orthonormal"
        }
      }
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

  /// ψ(s) = s along the first coordinates.
  func setIdentity(in parameters: inout [Float], dimension: Int) {
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
