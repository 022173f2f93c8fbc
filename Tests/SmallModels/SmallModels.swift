import Flows
import Inversion
import Networks
import Noise
import Tensors
import Workers

import Problems
import Solving

/// Two variables, four pixels: x = W z + b, u = z, and an encoder that reads `gain` of z off the first two.
package func linearModel(
  gain: Float = 1, variances: [Float] = [Float](repeating: 0.04, count: 4)
) throws -> PAEModel {
  let image = Shape(1, 2, 2)
  let encoder: [LayerDescription] = [.flatten, .linear(inputs: 4, outputs: 2)]
  let decoder: [LayerDescription] = [.linear(inputs: 2, outputs: 4), .reshape(image)]
  return try PAEModel(
    description: ModelDescription(
      name: "linear", image: .init(channels: 1, height: 2, width: 2), latent: 2, objective: .pae,
      encoder: encoder, decoder: decoder, flow: [.affine], residual: .init(rank: 0),
      training: nil),
    encoder: Network(
      domain: image, layers: encoder,
      parameters: [gain, 0, 0, 0, 0, gain, 0, 0] + [0, 0]),
    decoder: Network(
      domain: Shape(2), layers: decoder,
      parameters: [1, 0, 0, 1, 0, 0, 0, 0] + [0, 0, 0, 0]),
    flow: NormalizingFlow(layers: [.affine], dimension: 2, parameters: [0, 0, 0, 0]),
    residual: ResidualCovariance(variances: variances))
}

/// Two variables, four pixels: x = (z_1 tanh ½z_1, z_2, 0, 0), so that z_1 and −z_1 paint the same.
package func evenModel() throws -> PAEModel {
  let linear = try linearModel()
  let image = Shape(1, 2, 2)
  // silu(z) + silu(−z) = z tanh ½z, silu(z) − silu(−z) = z.
  let decoder: [LayerDescription] = [
    .linear(inputs: 2, outputs: 4), .silu, .linear(inputs: 4, outputs: 4), .reshape(image),
  ]
  var description = linear.description
  description.decoder = decoder
  return try PAEModel(
    description: description, encoder: linear.encoder,
    decoder: Network(
      domain: Shape(2), layers: decoder,
      parameters: [1, 0, -1, 0, 0, 1, 0, -1] + [0, 0, 0, 0]
        + [1, 1, 0, 0, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0]),
    flow: linear.flow, residual: ResidualCovariance(variances: [0, 0, 0, 0]))
}

extension PosteriorSolver {
  /// Sixteen chains of a hundred draws, σ given, nothing of the decoder's residual.
  package init(_ model: PAEModel, sigma: Double) {
    var options = SolveOptions(threads: 1)
    options.noise.sigma = .value(sigma)
    options.residual = .none
    options.draws = 100
    self.init(model: model, options: options, pool: WorkerPool(threads: 1))
  }

  /// The posterior of a picture's data, all observed, in base variables.
  package func posterior(
    of data: [Float], sigma: Double
  ) throws -> (posterior: ImagePosterior, picture: DamagedPicture) {
    let forward = try ForwardModel([], on: model.imageShape)
    let noise = try ResolvedNoise(options.noise, shape: forward.dataShape)
    let picture = try DamagedPicture(
      simulated: data, observed: nil, sigma: sigma, forward: forward)
    let measurement = try measurement([picture], noise: noise, forward: forward)
    return (measurement.posterior(of: model, inCodes: false), picture)
  }
}
