import Tensors

/// y_i = t(x_i; θ_i(x_1 … x_{i−1})). The normalizing direction is one pass; the generating one goes
/// coordinate by coordinate, and its vjp back again: with u = f(x) and J = ∂u/∂x triangular, du = J^−ᵀ dx
/// by substitution from the last coordinate.
final class MaskedLayer: NormalizingLayer, GeneratingLayer {
  private let dimension: Int
  private let networks: [MaskedNetwork]
  private let transform: any ElementwiseTransform
  /// θ of one network after another, and its cotangent; the networks write into them.
  private let theta: FloatBuffer
  private let dTheta: FloatBuffer

  /// - Parameters:
  ///   - networks: their places, the first stage of their dropout masks, and their numbers where fixed.
  ///   - index: the layer's index in the flow.
  init(
    _ networks: [(slots: MaskedSlots, firstStage: Int, packed: PackedMaskedNetwork?)],
    transform: any ElementwiseTransform, columns: Int, lanes: Int, index: Int
  ) {
    dimension = networks[0].slots.degrees.dimension
    let size = networks[0].slots.output.stairs.rows * columns
    let theta = FloatBuffer(networks.count * size)
    let dTheta = FloatBuffer(networks.count * size)
    self.theta = theta
    self.dTheta = dTheta
    self.transform = transform
    self.networks = networks.enumerated().map { number, network in
      MaskedNetwork(
        network.slots, columns: columns, lanes: lanes, index: index,
        firstStage: network.firstStage, packed: network.packed,
        output: theta.pointer + number * size, dOutput: dTheta.pointer + number * size)
    }
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    for network in networks { network.apply(x, parameters: parameters, masks: masks) }
    transform.normalize(x, into: y, logDeterminants: logDeterminants, theta: theta.pointer)
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    transform.normalizeVJP(
      cotangent, dLogDeterminants, theta: theta.pointer, dTheta: dTheta.pointer)
    for network in networks {
      network.vjp(
        addingTo: cotangent, parameters: parameters,
        training: gradient.map { (input: x, gradient: $0) })
    }
  }

  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    for i in 0..<dimension {
      for network in networks { network.outputs(ofCoordinate: i) }
      transform.generate(values, elements: i..<i + 1, theta: theta.pointer)
      for network in networks { network.advance(values, past: i) }
    }
  }

  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    for i in (0..<dimension).reversed() {
      for network in networks { network.retreat(to: i, addingTo: cotangent) }
      transform.generateVJP(
        cotangent, elements: i..<i + 1, theta: theta.pointer, dTheta: dTheta.pointer)
    }
  }
}
