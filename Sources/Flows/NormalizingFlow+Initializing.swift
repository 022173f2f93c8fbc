import Foundation
import Maps
import Numerics
import Randomness

extension NormalizingFlow {
  /// A fresh flow that is the identity up to its permutations: `affine` and `luLinear` start as
  /// identities; the last layer of every conditioner is zero, its hidden weights are drawn from
  /// N(0, 2/inputs) (He et al. 2015) and its biases are zero. A `slicedSpline` starts as the identity
  /// along the first r coordinates, with knots evenly over [−3, 3].
  /// - Throws: `FlowError` when the layers cannot be used.
  public init(
    initializing layers: [FlowLayerDescription], dimension: Int, key: RandomKey
  ) throws(FlowError) {
    let plan = try FlowLayout(layers: layers, dimension: dimension)
    var parameters = [Float](repeating: 0, count: plan.parameters.count)
    for (index, slots) in plan.slots.enumerated() {
      if case .slicedSpline(let sliced) = slots {
        sliced.setIdentity(in: &parameters, dimension: dimension)
      }
      guard case .conditioner(let dense) = slots else { continue }
      for (stage, layer) in dense.dropLast().enumerated() {
        var stream = key.child(index).child(stage).stream()
        let deviation = (2 / Double(layer.inputs)).squareRoot()
        for offset in layer.weight..<layer.weight + layer.inputs * layer.outputs {
          parameters[offset] = Float(deviation * stream.normal())
        }
      }
    }
    try self.init(plan, parameters: parameters)
  }

  /// This flow with its first layer, an `affine`, set to standardize each coordinate of `codes`
  /// (n × K) and, where an `luLinear` follows, that layer set to remove their correlations: then a
  /// fresh flow has exactly the density of the fitted Gaussian and can only gain.
  ///
  /// With S = C Cᵀ the covariance of the standardized codes, W = C⁻¹ is lower triangular:
  /// L_ij = W_ij/W_jj, U = diag W.
  /// - Throws: `FlowError.layer` when the first layer is no `affine`, `.codes` when a coordinate is
  ///   not finite or never varies, or the correlations cannot be removed (n ≤ K).
  public func standardizing(codes: [Float]) throws(FlowError) -> NormalizingFlow {
    guard case .affine(let mean, let logScale)? = plan.slots.first else {
      throw .layer(index: 0, "codes are standardized by a first layer \"affine\"")
    }
    guard codes.count >= 2 * dimension, codes.count % dimension == 0 else {
      throw .codes("\(codes.count) numbers are not two or more rows of \(dimension)")
    }
    guard codes.allSatisfy(\.isFinite) else { throw .codes("one is not finite") }
    let (center, covariance) = moments(codes, dimension: dimension)
    var parameters = self.parameters
    var scales: [Float] = []
    for row in 0..<dimension {
      let variance = covariance[row * dimension + row]
      guard variance > 0 else { throw .codes("coordinate \(row) never varies") }
      parameters[mean + row] = Float(center[row])
      parameters[logScale + row] = Float(-0.5 * log(variance))
      scales.append(exp(parameters[logScale + row]))
    }
    if case .luLinear(let lower, let upper, let logDiagonal, let bias)? = plan.slots.dropFirst()
      .first
    {
      var standardized = codes
      for index in codes.indices {
        let row = index % dimension
        standardized[index] = (codes[index] - parameters[mean + row]) * scales[row]
      }
      let whitening = try FittedGaussian(codes: standardized, dimension: dimension).inverseFactor()
      for row in 0..<dimension {
        parameters[logDiagonal + row] = Float(log(whitening[row * dimension + row]))
        parameters[bias + row] = 0
        for column in 0..<dimension {
          let index = row * dimension + column
          let pivot = whitening[column * dimension + column]
          parameters[upper + index] = 0
          parameters[lower + index] = column < row ? Float(whitening[index] / pivot) : 0
        }
      }
    }
    return try replacing(parameters: parameters)
  }

  /// Ranges of `parameters` that hold weight matrices of conditioners: what weight decay may act on
  /// without moving the standardization or the linear maps.
  package var conditionerWeights: [Range<Int>] {
    plan.slots.flatMap { slots -> [Range<Int>] in
      guard case .conditioner(let dense) = slots else { return [] }
      return dense.map { $0.weight..<$0.weight + $0.inputs * $0.outputs }
    }
  }
}
