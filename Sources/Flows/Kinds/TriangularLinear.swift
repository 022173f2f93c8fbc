import Foundation
import Randomness

/// `luLinear`: y = L U x + bias, ℓ = Σ logDiagonal. L = I + the part of `lower` strictly below the
/// diagonal; U = diag(e^logDiagonal) + the part of `upper` strictly above it. The other entries are
/// never read. Fresh, the identity.
struct TriangularLinear: FlowLayerKind {
  static let operation = "luLinear"

  func fault(dimension: Int) -> String? { nil }

  /// Both triangular factors together.
  func multiplyAdds(dimension: Int) -> Int { dimension * dimension }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let dimension = places.dimension
    return PlacedTriangularLinear(
      dimension: dimension, lower: places.add("lower", dimension, dimension),
      upper: places.add("upper", dimension, dimension),
      logDiagonal: places.add("logDiagonal", dimension), bias: places.add("bias", dimension))
  }
}

/// `lower`, `upper`, `logDiagonal`, `bias`: offsets.
struct PlacedTriangularLinear: LinearFlowLayer {
  let dimension: Int
  let lower: Int
  let upper: Int
  let logDiagonal: Int
  let bias: Int

  func initialize(_ parameters: inout [Float], key: RandomKey) {}

  func fault(in parameters: [Float]) -> String? { nil }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    TriangularLayer(
      dimension: dimension, columns: columns, lower: lower, upper: upper,
      logDiagonal: logDiagonal, bias: bias)
  }

  func map(_ parameters: [Float]) -> AffineMap {
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    var logDeterminant = 0.0
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
      logDeterminant += Double(parameters[logDiagonal + row])
    }
    return AffineMap(
      matrix: matrix, offset: (0..<dimension).map { Double(parameters[bias + $0]) },
      logDeterminant: logDeterminant)
  }

  func inverseMap(_ parameters: [Float]) -> AffineMap {
    AffineMap(
      inverseMatrix: triangularInverse(
        lower: parameters[lower...], upper: parameters[upper...],
        logDiagonal: parameters[logDiagonal...], dimension: dimension),
      of: map(parameters))
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
