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
  /// Each weight matrix transposed, at the same offset; nil while training, when weights change.
  private let transposed: FloatBuffer?

  package convenience init(
    domain: Shape, layers: [LayerDescription], parameters: [Float], shapes: [Shape]
  ) {
    self.init(
      domain: domain, layers: layers, parameters: parameters, shapes: shapes, isFixed: true)
  }

  private init(
    domain: Shape, layers: [LayerDescription], parameters: [Float], shapes: [Shape], isFixed: Bool
  ) {
    self.domain = domain
    self.layers = layers
    self.shapes = shapes
    layout = Network.layout(layers)
    let packed = Self.repacked(layers, parameters, toKernel: true)
    weights = FloatBuffer(packed)
    transposed = isFixed ? FloatBuffer(Self.transposed(packed, layout)) : nil
  }

  /// The transpose of the matrix that begins at `offset` of `weights`.
  func transposedMatrix(at offset: Int) -> UnsafePointer<Float>? {
    transposed.map { UnsafePointer($0.pointer + offset) }
  }

  /// First axis × all others, each matrix in its own place.
  private static func transposed(_ values: [Float], _ layout: ParameterLayout) -> [Float] {
    var result = values
    for slot in layout.slots where slot.shape.rank > 1 {
      let rows = slot.shape[0]
      let columns = slot.shape.count / max(rows, 1)
      for row in 0..<rows {
        for column in 0..<columns {
          result[slot.offset + column * rows + row] = values[slot.offset + row * columns + column]
        }
      }
    }
    return result
  }

  /// A copy of a network's weights to be trained.
  package convenience init(training network: Network) {
    self.init(
      domain: network.domain, layers: network.layers, parameters: network.parameters,
      shapes: network.shapes, isFixed: false)
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
