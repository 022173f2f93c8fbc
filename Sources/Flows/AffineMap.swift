import Foundation
import Networks
import Numerics
import Tensors

/// x ↦ M x + b in double precision, with ln|det M|.
struct AffineMap {
  let dimension: Int
  /// M, row-major.
  private(set) var matrix: [Double]
  private(set) var offset: [Double]
  private(set) var logDeterminant = 0.0

  /// The identity.
  init(dimension: Int) {
    self.dimension = dimension
    matrix = [Double](repeating: 0, count: dimension * dimension)
    for row in 0..<dimension { matrix[row * dimension + row] = 1 }
    offset = [Double](repeating: 0, count: dimension)
  }

  /// A layer in the normalizing direction; nil for a coupling.
  init?(
    _ layer: FlowLayerDescription, _ slots: LayerSlots, parameters: [Float], dimension: Int
  ) {
    self.init(dimension: dimension)
    switch (layer, slots) {
    case (.permutation(let order), _):
      for row in 0..<dimension {
        matrix[row * dimension + row] = 0
      }
      for row in 0..<dimension { matrix[row * dimension + order[row]] = 1 }
    case (_, .affine(let mean, let logScale)):
      for row in 0..<dimension {
        let scale = exp(Double(parameters[logScale + row]))
        matrix[row * dimension + row] = scale
        offset[row] = -scale * Double(parameters[mean + row])
        logDeterminant += Double(parameters[logScale + row])
      }
    case (_, .luLinear(let lower, let upper, let logDiagonal, let bias)):
      for row in 0..<dimension {
        for column in 0..<dimension {
          var sum = 0.0
          for inner in 0...min(row, column) {
            let l = inner == row ? 1 : Double(parameters[lower + row * dimension + inner])
            let u =
              inner == column
              ? exp(Double(parameters[logDiagonal + inner]))
              : Double(parameters[upper + inner * dimension + column])
            sum += l * u
          }
          matrix[row * dimension + column] = sum
        }
        offset[row] = Double(parameters[bias + row])
        logDeterminant += Double(parameters[logDiagonal + row])
      }
    default: return nil
    }
  }

  /// The inverse of a layer; nil for a coupling.
  init?(
    inverseOf layer: FlowLayerDescription, _ slots: LayerSlots, parameters: [Float], dimension: Int
  ) {
    guard
      let forward = AffineMap(layer, slots, parameters: parameters, dimension: dimension)
    else { return nil }
    self.init(dimension: dimension)
    switch (layer, slots) {
    case (_, .luLinear(let lower, let upper, let logDiagonal, _)):
      matrix = triangularInverse(
        lower: parameters[lower...], upper: parameters[upper...],
        logDiagonal: parameters[logDiagonal...], dimension: dimension)
    case (.permutation, _):
      for row in 0..<dimension {
        for column in 0..<dimension {
          matrix[column * dimension + row] = forward.matrix[row * dimension + column]
        }
      }
    default:
      for row in 0..<dimension {
        matrix[row * (dimension + 1)] = 1 / forward.matrix[row * (dimension + 1)]
      }
    }
    offset = applied(forward.offset.map { -$0 })
    logDeterminant = -forward.logDeterminant
  }

  /// M x + b.
  private func applied(_ x: [Double]) -> [Double] {
    (0..<dimension).map { row in
      (0..<dimension).reduce(offset[row]) { $0 + matrix[row * dimension + $1] * x[$1] }
    }
  }

  /// First this map, then `next`.
  func followed(by next: AffineMap) -> AffineMap {
    var result = self
    for row in 0..<dimension {
      for column in 0..<dimension {
        var sum = 0.0
        for inner in 0..<dimension {
          sum += next.matrix[row * dimension + inner] * matrix[inner * dimension + column]
        }
        result.matrix[row * dimension + column] = sum
      }
    }
    result.offset = next.applied(offset)
    result.logDeterminant += next.logDeterminant
    return result
  }
}

/// (L U)⁻¹ by substitution, one column of the identity at a time: L v = e, then U x = v. O(K³). The
/// slices start at the tensors of one `luLinear`.
private func triangularInverse(
  lower: ArraySlice<Float>, upper: ArraySlice<Float>, logDiagonal: ArraySlice<Float>,
  dimension: Int
) -> [Double] {
  var inverse = [Double](repeating: 0, count: dimension * dimension)
  var x = [Double](repeating: 0, count: dimension)
  for column in 0..<dimension {
    for row in 0..<dimension {
      var value: Double = row == column ? 1 : 0
      // Above the unit entry the solution of L v = e is zero.
      for inner in column..<max(row, column) {
        value -= Double(lower[lower.startIndex + row * dimension + inner]) * x[inner]
      }
      x[row] = row < column ? 0 : value
    }
    for row in (0..<dimension).reversed() {
      var value = x[row]
      for inner in row + 1..<max(dimension, row + 1) {
        value -= Double(upper[upper.startIndex + row * dimension + inner]) * x[inner]
      }
      x[row] = value * exp(-Double(logDiagonal[logDiagonal.startIndex + row]))
      inverse[row * dimension + column] = x[row]
    }
  }
  return inverse
}

/// An affine map as the kernels read it; immutable.
final class PackedAffineMap: @unchecked Sendable {
  let dimension: Int
  /// M and Mᵀ.
  let forward: PackedMatrix
  let adjoint: PackedMatrix
  let offset: FloatBuffer
  let logDeterminant: Float

  init(_ map: AffineMap) {
    dimension = map.dimension
    let matrix = FloatBuffer(map.matrix.map { Float($0) })
    forward = PackedMatrix(matrix.pointer, rows: dimension, inner: dimension)
    adjoint = PackedMatrix(
      matrix.pointer, rows: dimension, inner: dimension, orientation: .transposed)
    offset = FloatBuffer(map.offset.map { Float($0) })
    logDeterminant = Float(map.logDeterminant)
  }
}
