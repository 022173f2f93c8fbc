import Maps
import Numerics
import Randomness
import Synchronization
import Tensors

/// A feed-forward network: a list of layers with their weights. As a `DifferentiableMap` it is the
/// trained function: dropout is the identity, batch normalization uses its running averages and is
/// folded into the product before it.
public struct Network: DifferentiableMap {
  public let domain: Shape
  public let codomain: Shape
  public let layers: [LayerDescription]
  /// Slots named "{layer index}.{array}", e.g. "0.weight", in the model file's memory layout.
  public let layout: ParameterLayout
  /// All weights, `layout.count` of them.
  public let parameters: [Float]
  /// Shape at the entry of each layer and, last, at the exit.
  let shapes: [Shape]
  private let inference: InferenceNetwork

  /// - Throws: when the layers do not fit one another or the parameters are not finite.
  public init(domain: Shape, layers: [LayerDescription], parameters: [Float]) throws(NetworkError) {
    let shapes = try Self.shapes(domain: domain, layers: layers)
    let layout = Self.layout(layers)
    guard parameters.count == layout.count else {
      throw .parameterCount(expected: layout.count, found: parameters.count)
    }
    for slot in layout.slots
    where !parameters[slot.offset..<slot.offset + slot.shape.count].allSatisfy(\.isFinite) {
      throw .parametersNotFinite(slot.name)
    }
    for slot in layout.slots
    where slot.name.hasSuffix("runningVariance")
      && parameters[slot.offset..<slot.offset + slot.shape.count].contains(where: { $0 < 0 })
    {
      throw .negativeVariance(slot.name)
    }
    self.domain = domain
    self.layers = layers
    self.layout = layout
    self.parameters = parameters
    self.shapes = shapes
    codomain = shapes[shapes.count - 1]
    inference = InferenceNetwork(domain: domain, layers: layers, parameters: parameters)
  }

  /// Fresh weights: normal with variance 2 / (fan in) before a rectifier-like activation and
  /// 1 / (fan in) elsewhere (He et al. 2015, eq. 10; Glorot and Bengio 2010), biases zero.
  public init(
    domain: Shape, layers: [LayerDescription], key: RandomKey
  ) throws(NetworkError) {
    // Before memory is taken for the weights.
    _ = try Self.shapes(domain: domain, layers: layers)
    var parameters: [Float] = []
    for (index, layer) in layers.enumerated() {
      var stream = key.child(index).stream()
      let rectified = Self.isRectified(after: index, layers)
      for (name, shape) in layer.parameters {
        switch name {
        case "weight" where shape.rank > 1:
          let deviation = ((rectified ? 2 : 1) / layer.fanIn).squareRoot()
          for _ in 0..<shape.count { parameters.append(Float(stream.normal() * deviation)) }
        case "weight", "runningVariance":
          parameters += [Float](repeating: 1, count: shape.count)
        default: parameters += [Float](repeating: 0, count: shape.count)
        }
      }
    }
    try self.init(domain: domain, layers: layers, parameters: parameters)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    try NetworkPlan(network: inference.packed, lanes: lanes, mode: .inference)
  }

  /// Multiply-adds of one forward pass of one item, without elementwise work.
  public var multiplyAdds: Int {
    zip(layers, zip(shapes, shapes.dropFirst())).reduce(0) { sum, step in
      let (layer, (input, output)) = step
      return switch layer {
      case .linear(let inputs, let outputs): sum + inputs * outputs
      case .conv(let inputs, _, let kernel, _, _): sum + output.count * inputs * kernel * kernel
      case .convTranspose(_, let outputs, let kernel, _, _):
        sum + input.count * outputs * kernel * kernel
      default: sum
      }
    }
  }

  private static func isRectified(after index: Int, _ layers: [LayerDescription]) -> Bool {
    for layer in layers[(index + 1)...] {
      switch layer {
      case .silu, .relu, .leakyRelu: return true
      case .batchNorm, .dropout, .reshape, .flatten: continue
      case .linear, .conv, .convTranspose, .sigmoid: return false
      }
    }
    return false
  }

  /// Slots of a list of layers, before there are weights.
  package static func layout(_ layers: [LayerDescription]) -> ParameterLayout {
    var layout = ParameterLayout()
    for (index, layer) in layers.enumerated() {
      for (name, shape) in layer.parameters { layout.add("\(index).\(name)", shape) }
    }
    return layout
  }

  /// Shapes at each boundary. Refuses what would not fit: 2²⁸ weights or activations.
  package static func shapes(domain: Shape, layers: [LayerDescription]) throws(NetworkError)
    -> [Shape]
  {
    let limit = 1 << 28
    var shapes = [domain]
    var total = 0
    for layer in layers {
      let input = shapes[shapes.count - 1]
      guard layer.sizeBound(input) <= Double(limit) else { throw .tooLarge }
      shapes.append(try layer.output(of: input))
      total += layer.parameters.reduce(0) { $0 + $1.shape.count }
      guard total <= limit else { throw .tooLarge }
    }
    return shapes
  }
}

extension LayerDescription {
  /// Inputs that one output sums over.
  fileprivate var fanIn: Double {
    switch self {
    case .linear(let inputs, _): Double(inputs)
    case .conv(let inputs, _, let kernel, _, _): Double(inputs * kernel * kernel)
    case .convTranspose(let inputs, _, let kernel, let stride, _):
      Double(inputs * kernel * kernel) / Double(stride * stride)
    default: 1
    }
  }

  /// An upper bound of the layer's weights, activations and columns (the patches of one item), in
  /// floating point so that it cannot overflow whatever the description holds.
  fileprivate func sizeBound(_ input: Shape) -> Double {
    let size = Double(input.count)
    switch self {
    case .linear(let inputs, let outputs): return max(size, Double(inputs) * Double(outputs))
    case .conv(let inputs, let outputs, let kernel, let stride, let padding):
      guard input.rank == 3 else { return size }
      let margin = 2 * Double(padding) - Double(kernel)
      let height = max(Double(input[1]) + margin, 0) / Double(stride) + 1
      let width = max(Double(input[2]) + margin, 0) / Double(stride) + 1
      return Self.productBound(size, inputs, outputs, kernel, height * width, columns: inputs)
    case .convTranspose(let inputs, let outputs, let kernel, let stride, _):
      guard input.rank == 3 else { return size }
      let height = Double(input[1]) * Double(stride) + Double(kernel)
      let width = Double(input[2]) * Double(stride) + Double(kernel)
      return max(
        Self.productBound(size, inputs, outputs, kernel, height * width, columns: 0),
        Double(input[1]) * Double(input[2]) * Double(kernel) * Double(kernel) * Double(outputs))
    case .batchNorm(let channels): return max(size, 4 * Double(channels))
    default: return size
    }
  }

  /// `pixels`: of the output; `columns`: channels of the patches under them.
  private static func productBound(
    _ size: Double, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ pixels: Double, columns: Int
  ) -> Double {
    let area = Double(kernel) * Double(kernel)
    return max(
      size, Double(inputs) * Double(outputs) * area, Double(outputs) * pixels,
      Double(columns) * area * pixels)
  }
}

/// Batch normalization folded, weights in the kernels' layout: made when the first plan asks for it,
/// shared by all.
private final class InferenceNetwork: Sendable {
  private let domain: Shape
  private let layers: [LayerDescription]
  private let parameters: [Float]
  private let made = Mutex<PackedNetwork?>(nil)

  init(domain: Shape, layers: [LayerDescription], parameters: [Float]) {
    self.domain = domain
    self.layers = layers
    self.parameters = parameters
  }

  var packed: PackedNetwork {
    made.withLock { made in
      if let made { return made }
      let folded = foldBatchNormalization(layers: layers, parameters: parameters)
      // Folding removes layers that keep the shape; the list was checked before.
      guard let shapes = try? Network.shapes(domain: domain, layers: folded.layers) else {
        preconditionFailure("folding broke the network")
      }
      let packed = PackedNetwork(
        domain: domain, layers: folded.layers, parameters: folded.parameters, shapes: shapes)
      made = packed
      return packed
    }
  }
}
