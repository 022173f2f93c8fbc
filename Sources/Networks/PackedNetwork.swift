import Maps
import Tensors

/// A network whose weights lie as the kernels read them; plans share it.
///
/// Kernel layout: activations channels last; convolution weights [a, kernel, kernel, b] where the
/// file has [a, b, kernel, kernel] (a = out for `conv`, in for `convTranspose`); all else as in the
/// file. Immutable while inference plans use it; while training, the optimizer writes it between
/// steps, when no plan runs.
package final class PackedNetwork: @unchecked Sendable {
  package let domain: Shape
  package let layers: [LayerDescription]
  package let shapes: [Shape]
  package let layout: ParameterLayout
  package let weights: FloatBuffer

  package init(domain: Shape, layers: [LayerDescription], parameters: [Float], shapes: [Shape]) {
    self.domain = domain
    self.layers = layers
    self.shapes = shapes
    layout = Network.layout(layers)
    weights = FloatBuffer(Self.repacked(layers, parameters, toKernel: true))
  }

  /// A copy of a network's weights to be trained.
  package convenience init(training network: Network) {
    self.init(
      domain: network.domain, layers: network.layers, parameters: network.parameters,
      shapes: network.shapes)
  }

  /// The network that `weights`, in kernel layout, describe.
  package func network(weights: [Float]) throws(NetworkError) -> Network {
    try Network(
      domain: domain, layers: layers,
      parameters: Self.repacked(layers, weights, toKernel: false))
  }

  private static func repacked(
    _ layers: [LayerDescription], _ values: [Float], toKernel: Bool
  ) -> [Float] {
    var result = values
    var offset = 0
    for layer in layers {
      for (_, shape) in layer.parameters {
        if shape.rank == 4 {
          let (a, b, area) = (shape[0], shape[1], shape[2] * shape[3])
          for i in 0..<a {
            for j in 0..<b {
              for k in 0..<area {
                let file = offset + (i * b + j) * area + k
                let kernel = offset + (i * area + k) * b + j
                if toKernel { result[kernel] = values[file] } else { result[file] = values[kernel] }
              }
            }
          }
        }
        offset += shape.count
      }
    }
    return result
  }
}
