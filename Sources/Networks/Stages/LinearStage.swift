import Numerics
import Tensors

/// y = a(x Wᵀ + b), W: outputs × inputs.
final class LinearStage: Stage {
  private let lanes: Int
  private let inputs: Int
  private let outputs: Int
  private let parameters: ProductParameters
  private let activation: Activation
  /// a′ at the latest forward, lanes × outputs.
  private let derivative: FloatBuffer

  init(
    lanes: Int, inputs: Int, outputs: Int, parameters: ProductParameters, activation: Activation
  ) {
    self.lanes = lanes
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.activation = activation
    derivative = FloatBuffer(lanes * outputs)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    parameters.refreshTransposed(rows: outputs, columns: inputs)
    parameters.multiplyByTransposed(
      m: lanes, rows: outputs, columns: inputs, x, into: derivative.pointer)
    activation.apply(
      rows: lanes, channels: outputs, bias: parameters.bias, z: derivative.pointer, y: y)
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    if activation != .identity { multiplyInPlace(dy, derivative.pointer, lanes * outputs) }
    if let gradients {
      storeColumnSums(
        dy, rows: lanes, channels: outputs, into: gradients + parameters.biasOffset)
      multiply(
        .transposed, .plain, m: outputs, n: inputs, k: lanes, dy, lda: outputs, x, ldb: inputs,
        into: gradients + parameters.weightOffset, ldc: inputs)
    }
    if let dx {
      multiply(
        m: lanes, n: inputs, k: outputs, dy, lda: outputs, parameters.weight, ldb: inputs,
        into: dx, ldc: inputs)
    }
  }
}
