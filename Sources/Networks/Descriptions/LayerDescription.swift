import Tensors

/// One layer of a network as the model file describes it. Weights lie as in PyTorch, channels first.
///
/// Formulas, with x the input, y the output, w the weight, b the bias:
/// - `linear`: y[o] = Σᵢ w[o, i] x[i] + b[o].
/// - `conv`: y[o, p, q] = b[o] + Σ w[o, c, i, j] x[c, s·p − pad + i, s·q − pad + j], x zero outside.
/// - `convTranspose`: y[o, s·p − pad + i, s·q − pad + j] += w[c, o, i, j] x[c, p, q], then + b[o];
///   the adjoint of `conv` with the same kernel.
/// - `silu`: x / (1 + e^−x); `relu`: max(x, 0); `leakyRelu`: x < 0 ? slope·x : x;
///   `sigmoid`: 1 / (1 + e^−x).
/// - `batchNorm`: y[c] = weight[c] (x[c] − m[c]) / √(v[c] + 1e-5) + bias[c]; m and v are the
///   batch's own while training (biased variance) and the running averages afterwards; x is one
///   axis of channels or an image.
/// - `dropout`: while training x is zeroed with probability `rate` and otherwise divided by
///   1 − rate; afterwards the identity.
/// - `reshape`: the same elements in row-major order under another shape; `flatten` to one axis.
public enum LayerDescription: Sendable, Equatable {
  case linear(inputs: Int, outputs: Int)
  case conv(inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int)
  case convTranspose(inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int)
  case silu
  case relu
  case leakyRelu(slope: Double)
  case sigmoid
  case batchNorm(channels: Int)
  case dropout(rate: Double)
  case reshape(Shape)
  case flatten

  /// Arrays of the layer, in the order of the flat parameter vector.
  var parameters: [(name: String, shape: Shape)] {
    switch self {
    case .linear(let inputs, let outputs):
      [("weight", Shape(outputs, inputs)), ("bias", Shape(outputs))]
    case .conv(let inputs, let outputs, let kernel, _, _):
      [("weight", Shape(outputs, inputs, kernel, kernel)), ("bias", Shape(outputs))]
    case .convTranspose(let inputs, let outputs, let kernel, _, _):
      [("weight", Shape(inputs, outputs, kernel, kernel)), ("bias", Shape(outputs))]
    case .batchNorm(let channels):
      [
        ("weight", Shape(channels)), ("bias", Shape(channels)),
        ("runningMean", Shape(channels)), ("runningVariance", Shape(channels)),
      ]
    case .silu, .relu, .leakyRelu, .sigmoid, .dropout, .reshape, .flatten: []
    }
  }

  /// The shape of the output for an input of shape `input`, or why there is none.
  func output(of input: Shape) throws(NetworkError) -> Shape {
    switch self {
    case .linear(let inputs, let outputs):
      guard inputs > 0, outputs > 0, input.count == inputs else { throw mismatch(input) }
      return Shape(outputs)
    case .conv(let inputs, let outputs, let kernel, let stride, let padding):
      try checkKernel(input, inputs, outputs, kernel, stride, padding)
      let extents = [input[1], input[2]].map { ($0 + 2 * padding - kernel) / stride + 1 }
      guard zip([input[1], input[2]], extents).allSatisfy({ $0 + 2 * padding >= kernel && $1 > 0 })
      else { throw mismatch(input) }
      return Shape(outputs, extents[0], extents[1])
    case .convTranspose(let inputs, let outputs, let kernel, let stride, let padding):
      try checkKernel(input, inputs, outputs, kernel, stride, padding)
      let extents = [input[1], input[2]].map { ($0 - 1) * stride + kernel - 2 * padding }
      guard extents.allSatisfy({ $0 > 0 }) else { throw mismatch(input) }
      return Shape(outputs, extents[0], extents[1])
    case .batchNorm(let channels):
      guard channels > 0, input.rank == 1 || input.rank == 3, input[0] == channels else {
        throw mismatch(input)
      }
      return input
    case .dropout(let rate):
      guard rate >= 0, rate < 1 else { throw mismatch(input) }
      return input
    case .reshape(let shape):
      guard shape.count == input.count else { throw mismatch(input) }
      return shape
    case .flatten: return Shape(input.count)
    case .leakyRelu(let slope):
      guard slope.isFinite else { throw mismatch(input) }
      return input
    case .silu, .relu, .sigmoid: return input
    }
  }

  private func checkKernel(
    _ input: Shape, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ stride: Int, _ padding: Int
  ) throws(NetworkError) {
    guard input.rank == 3, input[0] == inputs, inputs > 0, outputs > 0,
      (1...64).contains(kernel), (1...64).contains(stride), (0..<kernel).contains(padding)
    else { throw mismatch(input) }
  }

  private func mismatch(_ input: Shape) -> NetworkError { .layerDoesNotFit(self, input: input) }
}

/// Why a list of layers is not a network.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  case layerDoesNotFit(LayerDescription, input: Shape)
  case parameterCount(expected: Int, found: Int)
  case parametersNotFinite(String)
  case negativeVariance(String)
  case tooLarge

  public var description: String {
    switch self {
    case .layerDoesNotFit(let layer, let input):
      "the layer \(layer) cannot take an input of shape \(input)"
    case .parameterCount(let expected, let found):
      "the network has \(expected) parameters, \(found) were given"
    case .parametersNotFinite(let name): "the parameter \(name) is not finite"
    case .negativeVariance(let name): "the parameter \(name) holds a negative variance"
    case .tooLarge: "the network is too large: more than 2^28 weights or activations"
    }
  }
}
