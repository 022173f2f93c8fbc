import Flows
import Maps
import Networks
import Tensors

// Multiply-adds of matrix products alone, as the layer descriptions have them. With M of a forward
// pass, a gradient with respect to the input takes 2 M: the values, and the products with the
// transposed weights. Training takes 3 M: the products of weights' gradients come on top.

extension NormalizingFlow {
  /// Multiply-adds of one forward pass of one code. The two triangular factors of an `luLinear` count
  /// as K² together.
  var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds(dimension: dimension) } }
}

extension Network {
  /// Multiply-adds of the first layer: no gradient with respect to a picture is taken in training.
  func firstLayerMultiplyAdds() throws -> Int {
    let first = Array(layers.prefix { !$0.hasWeights }) + layers.filter(\.hasWeights).prefix(1)
    let count = Network.layout(first).count
    return try Network(
      domain: domain, layers: first, parameters: [Float](repeating: 0, count: count)
    ).multiplyAdds
  }

  /// Floating-point operations of one training step for one picture.
  static func trainingOperations(encoder: Network, decoder: Network) throws -> Double {
    let forward = encoder.multiplyAdds + decoder.multiplyAdds
    return 2 * Double(3 * forward - (try encoder.firstLayerMultiplyAdds()))
  }
}

extension LayerDescription {
  fileprivate var hasWeights: Bool {
    switch self {
    case .linear, .conv, .convTranspose: true
    default: false
    }
  }
}
