import Foundation
import Maps
import Numerics
import Randomness

extension NormalizingFlow {
  /// A fresh flow; each kind says what its fresh layer is.
  /// - Throws: `FlowError` when the layers cannot be used.
  public init(
    initializing layers: [FlowLayerDescription], dimension: Int, key: RandomKey
  ) throws(FlowError) {
    let plan = try FlowLayout(layers: layers, dimension: dimension)
    var parameters = [Float](repeating: 0, count: plan.parameters.count)
    for (index, layer) in plan.placed.enumerated() {
      layer.initialize(&parameters, key: key.child(index))
    }
    try self.init(plan, parameters: parameters)
  }

  /// This flow with its first layer set from `codes` (n × K). A `whitening` is set to their principal axes.
  /// An `affine` is set to standardize each coordinate and, where an `luLinear` follows, that layer to
  /// remove the correlations: then a fresh flow of couplings has exactly the density of the fitted Gaussian
  /// and can only gain.
  ///
  /// With S = C Cᵀ the covariance of the standardized codes, W = C⁻¹ is lower triangular:
  /// L_ij = W_ij/W_jj, U = diag W.
  /// - Throws: `FlowError.layer` when the first layer is neither, `.codes` when a coordinate is not finite
  ///   or never varies, or the correlations cannot be removed (n ≤ K).
  public func standardizing(codes: [Float]) throws(FlowError) -> NormalizingFlow {
    guard codes.count >= 2 * dimension, codes.count % dimension == 0 else {
      throw .codes("\(codes.count) numbers are not two or more rows of \(dimension)")
    }
    guard codes.allSatisfy(\.isFinite) else { throw .codes("one is not finite") }
    var parameters = self.parameters
    switch plan.placed.first {
    case let whitening as PlacedWhitening: try whitening.fit(codes, in: &parameters)
    case let first as PlacedStandardization:
      try standardize(first, codes: codes, in: &parameters)
    default:
      throw .layer(
        index: 0, "codes are standardized by a first layer \"affine\" or \"whitening\"")
    }
    return try replacing(parameters: parameters)
  }

  private func standardize(
    _ first: PlacedStandardization, codes: [Float], in parameters: inout [Float]
  ) throws(FlowError) {
    let (center, covariance) = moments(codes, dimension: dimension)
    var scales: [Float] = []
    for row in 0..<dimension {
      let variance = covariance[row * dimension + row]
      guard variance > 0 else { throw .codes("coordinate \(row) never varies") }
      parameters[first.mean + row] = Float(center[row])
      parameters[first.logScale + row] = Float(-0.5 * log(variance))
      scales.append(exp(parameters[first.logScale + row]))
    }
    if let linear = plan.placed.dropFirst().first as? PlacedTriangularLinear {
      var standardized = codes
      for index in codes.indices {
        let row = index % dimension
        standardized[index] = (codes[index] - parameters[first.mean + row]) * scales[row]
      }
      let whitening = try FittedGaussian(codes: standardized, dimension: dimension).inverseFactor()
      for row in 0..<dimension {
        parameters[linear.logDiagonal + row] = Float(log(whitening[row * dimension + row]))
        parameters[linear.bias + row] = 0
        for column in 0..<dimension {
          let index = row * dimension + column
          let pivot = whitening[column * dimension + column]
          parameters[linear.upper + index] = 0
          parameters[linear.lower + index] = column < row ? Float(whitening[index] / pivot) : 0
        }
      }
    }
  }

  /// Ranges of `parameters` that hold weight matrices of networks: what weight decay may act on without
  /// moving the standardization or the linear maps.
  package var decayedWeights: [Range<Int>] { plan.placed.flatMap(\.decayedWeights) }
}
