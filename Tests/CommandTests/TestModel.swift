import Flows
import Foundation
import ImageFiles
import Inversion
import Maps
import Networks
import Noise
import Randomness
import Tensors
import Testing

/// A small untrained model in a file of its own, so that a solver's run takes a fraction of a second:
/// 8×8 pixels, K = 4, an MLP decoder, a flow with both kinds of couplings.
enum TestModel {
  static let grey = write("grey", channels: 1)
  static let rgb = write("rgb", channels: 3)
  /// `grey` as a `vae`: its encoder gives 2K outputs.
  static let variational = write("variational", channels: 1, objective: .vae)
  /// `grey` with a sliced flow.
  static let sliced = write("sliced", channels: 1, flow: slicedFlow)
  /// `grey` with masked layers.
  static let masked = write("masked", channels: 1, flow: maskedFlow)
  static let side = 8

  /// Both kinds of couplings.
  private static let couplings: [FlowLayerDescription] = [
    .affine, .luLinear,
    .splineCoupling(SplineCoupling(bins: 4, hidden: [8], transforms: .second)),
    .affineCoupling(AffineCoupling(hidden: [8], transforms: .first)),
  ]
  private static let slicedFlow: [FlowLayerDescription] = [
    .affine, .luLinear, .slicedSpline(SlicedSpline(directions: 2, bins: 5)),
    .slicedSpline(SlicedSpline(directions: 4, bins: 3)),
  ]

  private static let maskedFlow: [FlowLayerDescription] = [
    .whitening, .maskedAffine(MaskedAffine(width: 9, blocks: 1)), .permutation([3, 1, 0, 2]),
    .maskedMixture(MaskedMixture(width: 8, blocks: 2, components: 3, networks: 2)),
  ]

  /// One folder for the process, removed at its end.
  private static let folder: String = {
    let path = FileManager.default.temporaryDirectory.path + "/paeinvert-models-\(getpid())"
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit {
      let path = FileManager.default.temporaryDirectory.path + "/paeinvert-models-\(getpid())"
      try? FileManager.default.removeItem(atPath: path)
    }
    return path
  }()

  private static func write(
    _ name: String, channels: Int, objective: ModelDescription.Objective = .pae,
    flow: [FlowLayerDescription] = couplings
  ) -> String {
    let path = folder + "/\(name).safetensors"
    try! make(name, channels: channels, objective: objective, flow: flow)
      .write(to: path, overwrite: true)
    return path
  }

  static func make(
    _ name: String, channels: Int, objective: ModelDescription.Objective = .pae,
    flow: [FlowLayerDescription]? = nil
  ) throws -> PAEModel {
    let flow = flow ?? couplings
    let image = Shape(channels, side, side)
    let latent = 4
    let outputs = objective.encodesVariances ? 2 * latent : latent
    let encoder: [LayerDescription] = [
      .flatten, .linear(inputs: image.count, outputs: 16), .leakyRelu(slope: 0.2),
      .linear(inputs: 16, outputs: outputs),
    ]
    let decoder: [LayerDescription] = [
      .linear(inputs: latent, outputs: 16), .batchNorm(channels: 16), .silu,
      .linear(inputs: 16, outputs: image.count), .sigmoid, .reshape(image),
    ]
    let key = RandomKey(seed: 1).child("test model")
    // Fresh flows and normalizations are identities: moved, so that their formulas matter.
    func moved(_ parameters: [Float], _ index: Int) -> [Float] {
      var stream = key.child("moves").child(index).stream()
      return parameters.map { $0 + Float(0.1 * stream.normal()) }
    }
    let painter = try Network(domain: Shape(latent), layers: decoder, key: key.child(1))
    let fresh = try NormalizingFlow(initializing: flow, dimension: latent, key: key.child(2))
    var movedFlow = moved(fresh.parameters, 2)
    for slot in fresh.layout.slots
    where slot.name.hasSuffix("directions") || slot.name.hasSuffix("axes") {
      let range = slot.offset..<slot.offset + slot.shape.count
      let rows = orthonormalRows(movedFlow[range].map { Double($0) }, columns: latent)
      movedFlow.replaceSubrange(range, with: rows.map { Float($0) })
    }
    return try PAEModel(
      description: ModelDescription(
        name: name, image: .init(channels: channels, height: side, width: side), latent: latent,
        objective: objective, encoder: encoder, decoder: decoder, flow: flow,
        residual: .init(rank: 0),
        training: nil),
      encoder: Network(domain: image, layers: encoder, key: key.child(0)),
      decoder: Network(
        domain: Shape(latent), layers: decoder, parameters: moved(painter.parameters, 1)),
      flow: fresh.replacing(parameters: movedFlow),
      residual: ResidualCovariance(variances: [Float](repeating: 1e-4, count: image.count)))
  }
}

/// Pictures to feed the program with.
enum TestPicture {
  /// Channels × side × side: a smooth slope with N(0, σ²) noise, fixed by `seed`; not clipped.
  static func values(
    channels: Int = 1, side: Int = TestModel.side, sigma: Double = 0.1, seed: UInt64 = 1
  ) -> Tensor {
    var stream = RandomKey(seed: seed).child("test picture").stream()
    let shape = Shape(channels, side, side)
    return Tensor(
      shape: shape,
      values: (0..<shape.count).map { index in
        let (row, column) = (index / side % side, index % side)
        let slope = 0.2 + 0.6 * Double(row + 2 * column) / Double(3 * side - 3)
        return Float(slope + sigma * stream.normal())
      })
  }

  static func png(
    channels: Int = 1, side: Int = TestModel.side, bits: Int = 8, alpha: Bool = false,
    seed: UInt64 = 1
  ) -> [UInt8] {
    let opacity = Tensor(
      shape: Shape(1, side, side), values: (0..<side * side).map { $0 % 3 == 0 ? 1 : 0.6 })
    return Picture(
      tensor: values(channels: channels, side: side, seed: seed), alpha: alpha ? opacity : nil,
      bitDepth: bits
    ).png
  }

  /// A noisy picture that the model itself paints, its values clipped to [0, 1] by `encoded`.
  static func drawn(from model: PAEModel, sigma: Double, seed: UInt64) throws -> Tensor {
    var stream = RandomKey(seed: seed).child("drawn picture").stream()
    let base = stream.normals(model.latentDimension).map { Float($0) }
    var tensor = Tensor(shape: model.imageShape)
    var span = tensor.values.mutableSpan
    try model.generator.makePlan(lanes: 1).apply(base.span, into: &span)
    for index in tensor.values.indices { tensor.values[index] += Float(sigma * stream.normal()) }
    return tensor
  }

  /// A picture that `TestModel.grey` paints, with noise of 0.1, so that nothing is to be said of its fit.
  static func likely(bits: Int = 8, seed: UInt64 = 7) -> [UInt8] {
    do {
      let model = try PAEModel.read(path: TestModel.grey)
      return Picture(tensor: try drawn(from: model, sigma: 0.1, seed: seed), bitDepth: bits).png
    } catch {
      Issue.record(error)
      return []
    }
  }

  /// A picture of the model's size with one intensity everywhere.
  static func flat(_ value: Float, side: Int = TestModel.side, bits: Int = 8) -> [UInt8] {
    Picture(tensor: Tensor(shape: Shape(1, side, side), repeating: value), bitDepth: bits)
      .png
  }

  /// White but for rows 2–5 of columns 2–5.
  static var mask: [UInt8] {
    let side = TestModel.side
    return Picture(
      tensor: Tensor(
        shape: Shape(1, side, side),
        values: (0..<side * side).map {
          (2...5).contains($0 / side) && (2...5).contains($0 % side) ? 0 : 1
        })
    ).png
  }
}

extension Picture {
  /// Its PNG; a failure to encode it is an issue of the test.
  var png: [UInt8] {
    do {
      return try encoded()
    } catch {
      Issue.record(error)
      return []
    }
  }
}
