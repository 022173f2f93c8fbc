import Foundation
import Randomness

/// `affine`: y = (x − mean)·e^logScale, ℓ = Σ logScale. Set from the codes; training leaves it alone.
/// Fresh, the identity.
struct Standardization: FlowLayerKind {
  static let operation = "affine"

  func fault(dimension: Int) -> String? { nil }

  func multiplyAdds(dimension: Int) -> Int { 0 }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let dimension = places.dimension
    return PlacedStandardization(
      dimension: dimension, mean: places.add("mean", dimension),
      logScale: places.add("logScale", dimension))
  }
}

/// `mean`, `logScale`: offsets.
struct PlacedStandardization: LinearFlowLayer {
  let dimension: Int
  let mean: Int
  let logScale: Int

  func initialize(_ parameters: inout [Float], key: RandomKey) {}

  func fault(in parameters: [Float]) -> String? { nil }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    StandardizingLayer(dimension: dimension, columns: columns, mean: mean, logScale: logScale)
  }

  func map(_ parameters: [Float]) -> AffineMap {
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    var offset = [Double](repeating: 0, count: dimension)
    var logDeterminant = 0.0
    for row in 0..<dimension {
      let scale = exp(Double(parameters[logScale + row]))
      matrix[row * (dimension + 1)] = scale
      offset[row] = -scale * Double(parameters[mean + row])
      logDeterminant += Double(parameters[logScale + row])
    }
    return AffineMap(matrix: matrix, offset: offset, logDeterminant: logDeterminant)
  }

  func inverseMap(_ parameters: [Float]) -> AffineMap {
    let forward = map(parameters)
    var inverse = forward.matrix
    for row in 0..<dimension { inverse[row * (dimension + 1)] = 1 / inverse[row * (dimension + 1)] }
    return AffineMap(inverseMatrix: inverse, of: forward)
  }
}
