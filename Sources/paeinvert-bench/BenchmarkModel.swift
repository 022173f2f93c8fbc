import Flows
import Inversion
import Networks
import Noise
import PAEInversion
import Problems
import Randomness
import Tensors
import Training

/// A model to measure with, under the name that its rows have.
struct BenchmarkModel {
  let name: String
  let model: PAEModel
  /// Pictures of a batch in training.
  let batch: Int

  /// The default model, as shipped.
  static func shipped() throws -> BenchmarkModel {
    try named(ModelLocator.defaultName)
  }

  /// A model by name or path.
  static func named(_ name: String) throws -> BenchmarkModel {
    let model = try PAEModel.read(path: ModelLocator.path(of: name))
    return BenchmarkModel(name: model.description.name, model: model, batch: 128)
  }

  /// The architecture of the paper, K = 40, about seven million weights in the decoder, with random
  /// weights of a fixed seed and the default flow's layers: its speed is that of a trained one.
  static func infogan() throws -> BenchmarkModel {
    let image = ModelDescription.Image(channels: 1, height: 28, width: 28)
    let latent = 40
    let layers = try Architecture.infogan.layers(image: image.shape, latent: latent)
    let key = RandomKey(seed: 1).child("benchmark model")
    let flow = try randomFlow(dimension: latent, key: key.child("flow"))
    let model = try PAEModel(
      description: ModelDescription(
        name: "infogan", image: image, latent: latent, objective: .pae, encoder: layers.encoder,
        decoder: layers.decoder, flow: flow.layers, residual: .init(rank: 0), training: nil),
      encoder: Network(domain: image.shape, layers: layers.encoder, key: key.child("encoder")),
      decoder: Network(domain: Shape(latent), layers: layers.decoder, key: key.child("decoder")),
      flow: flow,
      // About the mean squared error of a trained model.
      residual: ResidualCovariance(
        variances: [Float](repeating: 0.005, count: image.shape.count)))
    return BenchmarkModel(name: "infogan", model: model, batch: 256)
  }

  /// Affine couplings; a fresh flow of these is the identity, so every parameter is moved a little.
  private static func randomFlow(dimension: Int, key: RandomKey) throws -> NormalizingFlow {
    let usual = FlowKind.affine.defaults
    let layers = FlowKind.affine.layers(
      dimension: dimension, width: usual.width, blocks: usual.blocks)
    let fresh = try NormalizingFlow(
      initializing: layers, dimension: dimension, key: key.child("fresh"))
    var stream = key.child("moved").stream()
    return try NormalizingFlow(
      layers: layers, dimension: dimension,
      parameters: fresh.parameters.map { $0 + 0.02 * Float(stream.normal()) })
  }
}
