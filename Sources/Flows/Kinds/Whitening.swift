import CLAPACK
import Foundation
import Numerics
import Randomness

/// `whitening`: y = e^logScale·(A (x − mean)), ℓ = Σ logScale: along the principal axes of the codes, the
/// widest first, each with variance 1. A [K, K] is `axes` with its rows made orthonormal by Gram and
/// Schmidt, first row first; what a file holds is orthonormal within 10⁻³ already. Set from the codes;
/// training leaves it alone. Fresh, the identity.
struct Whitening: FlowLayerKind {
  static let operation = "whitening"

  func fault(dimension: Int) -> String? { nil }

  func multiplyAdds(dimension: Int) -> Int { dimension * dimension }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let dimension = places.dimension
    return PlacedWhitening(
      dimension: dimension, mean: places.add("mean", dimension),
      axes: places.add("axes", dimension, dimension), logScale: places.add("logScale", dimension))
  }
}

/// `mean`, `axes`, `logScale`: offsets.
struct PlacedWhitening: LinearFlowLayer {
  let dimension: Int
  let mean: Int
  let axes: Int
  let logScale: Int

  func initialize(_ parameters: inout [Float], key: RandomKey) {
    for row in 0..<dimension { parameters[axes + row * (dimension + 1)] = 1 }
  }

  func fault(in parameters: [Float]) -> String? {
    nonOrthonormalRows(parameters[axes..<axes + dimension * dimension], columns: dimension)
      .map { "its axes \($0) and \($1) are not orthonormal" }
  }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    WhiteningLayer(self, columns: columns)
  }

  func map(_ parameters: [Float]) -> AffineMap {
    var matrix = orthonormalAxes(parameters)
    var offset = [Double](repeating: 0, count: dimension)
    var logDeterminant = 0.0
    for row in 0..<dimension {
      let scale = exp(Double(parameters[logScale + row]))
      for column in 0..<dimension {
        matrix[row * dimension + column] *= scale
        offset[row] -= matrix[row * dimension + column] * Double(parameters[mean + column])
      }
      logDeterminant += Double(parameters[logScale + row])
    }
    return AffineMap(matrix: matrix, offset: offset, logDeterminant: logDeterminant)
  }

  /// x = mean + Aᵀ (e^−logScale·y).
  func inverseMap(_ parameters: [Float]) -> AffineMap {
    let matrix = orthonormalAxes(parameters)
    var inverse = matrix
    for row in 0..<dimension {
      for column in 0..<dimension {
        inverse[column * dimension + row] =
          matrix[row * dimension + column] * exp(-Double(parameters[logScale + row]))
      }
    }
    return AffineMap(inverseMatrix: inverse, of: map(parameters))
  }

  private func orthonormalAxes(_ parameters: [Float]) -> [Double] {
    orthonormalRows(
      parameters[axes..<axes + dimension * dimension].map(Double.init), columns: dimension)
  }

  /// Sets the numbers from codes, n × K. The sign of an axis is that which makes its largest entry positive.
  /// - Throws: `FlowError.codes` when the codes do not vary in every direction, as with n ≤ K.
  func fit(_ codes: [Float], in parameters: inout [Float]) throws(FlowError) {
    let (center, covariance) = moments(codes, dimension: dimension)
    var vectors = covariance
    var values = [Double](repeating: 0, count: dimension)
    let size = Int32(dimension)
    let status = LAPACKE_dsyev(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")), size, &vectors, size,
      &values)
    // Ascending values; vectors are columns.
    guard status == 0, let largest = values.last, values[0] > 1e-12 * largest else {
      throw .codes("they do not vary in every direction")
    }
    for row in 0..<dimension {
      let column = dimension - 1 - row
      let axis = (0..<dimension).map { vectors[$0 * dimension + column] }
      let peak = axis.max { abs($0) < abs($1) } ?? 1
      for k in 0..<dimension {
        parameters[axes + row * dimension + k] = Float(peak < 0 ? -axis[k] : axis[k])
      }
      parameters[mean + row] = Float(center[row])
      parameters[logScale + row] = Float(-0.5 * log(values[column]))
    }
  }
}
