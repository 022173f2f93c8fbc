import Maps
import Randomness
import Tensors

/// The execution of a network on `lanes` items.
///
/// Layers become stages: a product or a normalization takes the activation behind it along; reshapes are free unless
/// channels have to move. Kernel activations are channels last, the plan's own input and output
/// channels first, as everywhere outside this module.
package final class NetworkPlan: MapPlan {
  package enum Mode {
    /// Running averages, no dropout.
    case inference
    /// Batch statistics, dropout, gradients with respect to parameters.
    case training
  }

  private let network: PackedNetwork
  private var stages: [any Stage] = []
  private var dropouts: [(layer: Int, stage: DropoutStage)] = []
  /// Values between stages: `values[i]` leaves stage i − 1 and enters stage i; lanes × count.
  private var values: [FloatBuffer] = []
  private let cotangents: (FloatBuffer, FloatBuffer)
  private let inputCount: Int
  private let outputCount: Int

  package init(network: PackedNetwork, lanes: Int, mode: Mode) throws(PlanError) {
    self.network = network
    guard lanes >= 1, lanes <= 1 << 20 else { throw .tooLarge("\(lanes) items in one plan") }
    var lowering = Lowering(network: network, lanes: lanes, mode: mode)
    let largest = network.shapes.map(\.count).max() ?? 0
    guard Double(largest) * Double(lanes) * Double(network.shapes.count) < 4e9 else {
      throw .tooLarge("\(lanes) items of a network with \(largest) activations in one layer")
    }
    lowering.run()
    stages = lowering.stages
    dropouts = lowering.dropouts
    inputCount = lanes * network.shapes[0].count
    outputCount = lanes * network.shapes[network.shapes.count - 1].count
    values = [FloatBuffer(inputCount)] + lowering.outputCounts.map { FloatBuffer($0) }
    cotangents = (FloatBuffer(lanes * largest), FloatBuffer(lanes * largest))
  }

  /// Fresh dropout masks for the next `apply`.
  package func drawDropout(_ key: RandomKey) {
    for (layer, stage) in dropouts { stage.draw(key.child(layer)) }
  }

  package func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    x.withUnsafeBufferPointer { x in
      precondition(x.count == inputCount, "the plan takes \(inputCount) numbers, not \(x.count)")
      values[0].pointer.update(from: x.baseAddress!, count: inputCount)
    }
    for (index, stage) in stages.enumerated() {
      stage.forward(values[index].pointer, values[index + 1].pointer)
    }
    y.withUnsafeMutableBufferPointer { y in
      precondition(y.count == outputCount)
      y.baseAddress!.update(from: values[stages.count].pointer, count: outputCount)
    }
  }

  package func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    let result = backward(dy, gradients: nil, wantsInput: true)
    dx.withUnsafeMutableBufferPointer { dx in
      precondition(dx.count == inputCount)
      dx.baseAddress!.update(from: result, count: inputCount)
    }
  }

  /// Stores the gradient with respect to the packed weights in `gradients` and, unless `dx` is nil,
  /// the cotangent of the input there.
  package func vjp(
    _ dy: Span<Float>, gradients: FloatBuffer, dx: UnsafeMutablePointer<Float>?
  ) {
    precondition(gradients.count == network.layout.count)
    let result = backward(dy, gradients: gradients.pointer, wantsInput: dx != nil)
    dx?.update(from: result, count: inputCount)
  }

  private func backward(
    _ dy: Span<Float>, gradients: UnsafeMutablePointer<Float>?, wantsInput: Bool
  ) -> UnsafePointer<Float> {
    var (current, next) = (cotangents.0.pointer, cotangents.1.pointer)
    dy.withUnsafeBufferPointer { dy in
      precondition(dy.count == outputCount)
      current.update(from: dy.baseAddress!, count: outputCount)
    }
    for index in stages.indices.reversed() {
      let wanted = index > 0 || wantsInput
      stages[index].backward(
        values[index].pointer, current, wanted ? next : nil, gradients: gradients)
      (current, next) = (next, current)
    }
    return UnsafePointer(current)
  }
}

/// Turns layers into stages.
private struct Lowering {
  let network: PackedNetwork
  let lanes: Int
  let mode: NetworkPlan.Mode
  var stages: [any Stage] = []
  var outputCounts: [Int] = []
  var dropouts: [(layer: Int, stage: DropoutStage)] = []
  /// Whether the current value is a channels-last image whose channels would have to move.
  private var isChannelsLast = false

  init(network: PackedNetwork, lanes: Int, mode: NetworkPlan.Mode) {
    self.network = network
    self.lanes = lanes
    self.mode = mode
  }

  mutating func run() {
    var layer = 0
    var offset = 0
    while layer < network.layers.count {
      let description = network.layers[layer]
      let input = network.shapes[layer]
      let next = layer + 1 < network.layers.count ? Activation(network.layers[layer + 1]) : nil
      switch description {
      case .linear(let inputs, let outputs):
        moveChannels(of: input, toLast: false)
        append(
          LinearStage(
            lanes: lanes, inputs: inputs, outputs: outputs,
            parameters: product(offset, inputs * outputs), activation: next ?? .identity), layer)
      case .conv(let inputs, let outputs, let kernel, let stride, let padding):
        moveChannels(of: input, toLast: true)
        let output = network.shapes[layer + 1]
        append(
          ConvolutionStage(
            lanes: lanes,
            geometry: ConvolutionGeometry(
              largeHeight: input[1], largeWidth: input[2], largeChannels: inputs,
              smallHeight: output[1], smallWidth: output[2], kernel: kernel, stride: stride,
              padding: padding), outputs: outputs,
            parameters: product(offset, inputs * outputs * kernel * kernel),
            activation: next ?? .identity, columnBudget: columnBudget), layer)
      case .convTranspose(let inputs, let outputs, let kernel, let stride, let padding):
        moveChannels(of: input, toLast: true)
        let output = network.shapes[layer + 1]
        append(
          TransposedConvolutionStage(
            lanes: lanes,
            geometry: ConvolutionGeometry(
              largeHeight: output[1], largeWidth: output[2], largeChannels: outputs,
              smallHeight: input[1], smallWidth: input[2], kernel: kernel, stride: stride,
              padding: padding), inputs: inputs,
            parameters: product(offset, inputs * outputs * kernel * kernel),
            activation: next ?? .identity, columnBudget: columnBudget), layer)
      case .batchNorm(let channels):
        if input.rank == 3 { moveChannels(of: input, toLast: true) }
        append(
          BatchNormStage(
            rows: lanes * input.count / channels, channels: channels,
            weights: network.weights.pointer,
            offsets: (offset, offset + channels, offset + 2 * channels, offset + 3 * channels),
            usesBatchStatistics: mode == .training, activation: next ?? .identity), layer)
      case .dropout(let rate):
        if mode == .training && rate > 0 {
          let stage = DropoutStage(count: lanes * input.count, rate: rate)
          dropouts.append((layer, stage))
          append(stage, layer)
        }
      case .reshape, .flatten: moveChannels(of: input, toLast: false)
      case .silu, .relu, .leakyRelu, .sigmoid:
        append(
          ActivationStage(count: lanes * input.count, activation: Activation(description)!), layer)
      }
      offset += description.parameters.reduce(0) { $0 + $1.shape.count }
      layer += description.takesActivation && next != nil ? 2 : 1
    }
    moveChannels(of: network.shapes[network.shapes.count - 1], toLast: false)
  }

  /// Numbers of convolution columns at a time: a quarter of a cache of 1 MiB, so that the product's
  /// operands stay beside them; twice that in training, whose weight gradients sum over the rows and
  /// are the slower the fewer these are.
  private var columnBudget: Int { mode == .training ? 1 << 17 : 1 << 16 }

  private mutating func append(_ stage: any Stage, _ layer: Int) {
    stages.append(stage)
    outputCounts.append(lanes * network.shapes[layer + 1].count)
  }

  private func product(_ offset: Int, _ weightCount: Int) -> ProductParameters {
    ProductParameters(
      weights: network.weights.pointer,
      transposed: mode == .inference ? network.transposedMatrix(at: offset) : nil,
      scratch: mode == .training && weightCount <= 1 << 18 ? FloatBuffer(weightCount) : nil,
      weightOffset: offset, biasOffset: offset + weightCount)
  }

  /// Moves the channels of an image when they lie on the other side; free for one channel or pixel.
  private mutating func moveChannels(of shape: Shape, toLast: Bool) {
    defer { isChannelsLast = toLast }
    guard isChannelsLast != toLast, shape.rank == 3 else { return }
    let pixels = shape[1] * shape[2]
    guard shape[0] > 1, pixels > 1 else { return }
    stages.append(
      toLast
        ? TranspositionStage(lanes: lanes, rows: shape[0], columns: pixels)
        : TranspositionStage(lanes: lanes, rows: pixels, columns: shape[0]))
    outputCounts.append(lanes * shape.count)
  }
}

extension LayerDescription {
  /// Whether the stage of this layer computes the activation behind it.
  fileprivate var takesActivation: Bool {
    switch self {
    case .linear, .conv, .convTranspose, .batchNorm: true
    default: false
    }
  }
}
