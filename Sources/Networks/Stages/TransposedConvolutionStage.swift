import Numerics
import Tensors

/// y = a(columnsᵀ(x W) + b): small image to large; W: inputs × (kernel · kernel · outputs). The
/// product makes columns, whose scatter is the adjoint of a convolution's gather.
final class TransposedConvolutionStage: Stage {
  private let lanes: Int
  private let geometry: ConvolutionGeometry
  private let inputs: Int
  private let parameters: ProductParameters
  private let activation: Activation
  private let group: Int
  private let columns: FloatBuffer
  private let derivative: FloatBuffer

  /// `geometry.largeChannels` is the number of output channels.
  init(
    lanes: Int, geometry: ConvolutionGeometry, inputs: Int, parameters: ProductParameters,
    activation: Activation, columnBudget: Int
  ) {
    self.lanes = lanes
    self.geometry = geometry
    self.inputs = inputs
    self.parameters = parameters
    self.activation = activation
    group = geometry.group(lanes: lanes, budget: columnBudget)
    columns = FloatBuffer(group * geometry.smallPixels * geometry.patch)
    derivative = FloatBuffer(lanes * geometry.largeCount)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    let channels = geometry.largeChannels
    for (first, count) in groups {
      multiply(
        m: count * geometry.smallPixels, n: geometry.patch, k: inputs,
        x + first * geometry.smallPixels * inputs, lda: inputs, parameters.weight,
        ldb: geometry.patch, into: columns.pointer, ldc: geometry.patch)
      for item in 0..<count {
        let offset = (first + item) * geometry.largeCount
        geometry.scatter(
          columns.pointer + item * geometry.smallPixels * geometry.patch,
          into: derivative.pointer + offset)
        activation.apply(
          rows: geometry.largeCount / channels, channels: channels, bias: parameters.bias,
          z: derivative.pointer + offset, y: y + offset)
      }
    }
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    let channels = geometry.largeChannels
    if dx != nil { parameters.refreshTransposed(rows: inputs, columns: geometry.patch) }
    gradients.map { ($0 + parameters.biasOffset).update(repeating: 0, count: channels) }
    for (first, count) in groups {
      for item in 0..<count {
        let offset = (first + item) * geometry.largeCount
        if activation != .identity {
          multiplyInPlace(dy + offset, derivative.pointer + offset, geometry.largeCount)
        }
        geometry.gather(
          dy + offset, into: columns.pointer + item * geometry.smallPixels * geometry.patch)
      }
      let rows = count * geometry.smallPixels
      let xSlice = x + first * geometry.smallPixels * inputs
      if let gradients {
        addColumnSums(
          dy + first * geometry.largeCount, rows: count * geometry.largeCount / channels,
          channels: channels, into: gradients + parameters.biasOffset)
        multiply(
          .transposed, .plain, m: inputs, n: geometry.patch, k: rows, xSlice, lda: inputs,
          columns.pointer, ldb: geometry.patch, beta: first == 0 ? 0 : 1,
          into: gradients + parameters.weightOffset, ldc: geometry.patch)
      }
      if let dx {
        parameters.multiplyByTransposed(
          m: rows, rows: inputs, columns: geometry.patch, columns.pointer,
          into: dx + first * geometry.smallPixels * inputs)
      }
    }
  }

  private var groups: some Sequence<(first: Int, count: Int)> {
    stride(from: 0, to: lanes, by: group).lazy.map { [lanes, group] in
      ($0, min(group, lanes - $0))
    }
  }
}
