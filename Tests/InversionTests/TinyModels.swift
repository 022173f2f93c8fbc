import Flows
import Foundation
import Likelihoods
import Maps
import Networks
import Noise
import Numerics
import Randomness
import Tensors

@testable import Inversion

/// A Probabilistic Autoencoder with random weights: 1×8×8 pixels, four latent variables, every kind of
/// layer that a file can hold. Unless `isSmooth`, its curvature jumps at the knots of a spline. `rank`
/// factors in its residual, and with them a record of what they gain.
func tinyModel(seed: UInt64 = 4, isSmooth: Bool = false, rank: Int = 0) throws -> PAEModel {
  let key = RandomKey(seed: seed)
  let image = Shape(1, 8, 8)
  let encoder: [LayerDescription] = [
    .conv(inputs: 1, outputs: 3, kernel: 4, stride: 2, padding: 1), .batchNorm(channels: 3),
    .leakyRelu(slope: 0.2), .flatten, .dropout(rate: 0.1), .linear(inputs: 48, outputs: 4),
  ]
  let decoder: [LayerDescription] = [
    .linear(inputs: 4, outputs: 16), .silu, .linear(inputs: 16, outputs: 32),
    .reshape(Shape(2, 4, 4)),
    .convTranspose(inputs: 2, outputs: 1, kernel: 4, stride: 2, padding: 1), .sigmoid,
  ]
  let spline = SplineCoupling(bins: 5, bound: 4, hidden: [8], transforms: .second)
  let coupling = AffineCoupling(hidden: [8], transforms: .first, maxLogScale: 1)
  let flow: [FlowLayerDescription] =
    [.affine, .luLinear] + (isSmooth ? [] : [.splineCoupling(spline)])
    + [.permutation([2, 3, 0, 1]), .affineCoupling(coupling)]
  let fresh = try NormalizingFlow(initializing: flow, dimension: 4, key: key.child("flow"))
  var stream = key.child("perturbation").stream()
  let parameters = fresh.parameters.map { $0 + Float(0.2 * stream.normal()) }
  let decoderNetwork = try Network(domain: Shape(4), layers: decoder, key: key.child("decoder"))
  var record = TrainingRecord(
    data: "random \"weights\" / ü", pictures: 0, heldOut: 0, seed: .max, epochs: 0,
    flowEpochs: 0, version: "test", heldOutError: 0.1,
    heldOutFlowLogLikelihood: -1e-9, heldOutGaussianLogLikelihood: -3.25)
  let variances = (0..<64).map { _ in Float(0.002 + 0.008 * stream.uniform()) }
  let factors = stream.normals(64 * rank).map { Float(0.03 * $0) }
  if rank > 0 {
    record.heldOutResidualLogLikelihood = 12.5
    record.heldOutDiagonalResidualLogLikelihood = 11.25
  }
  return try PAEModel(
    description: ModelDescription(
      name: "tiny", image: .init(channels: 1, height: 8, width: 8), latent: 4, objective: .pae,
      encoder: encoder, decoder: decoder, flow: flow, residual: .init(rank: rank),
      training: record),
    encoder: try Network(domain: image, layers: encoder, key: key.child("encoder")),
    decoder: try Network(
      domain: Shape(4), layers: decoder, parameters: decoderNetwork.parameters.map { 1.5 * $0 }),
    flow: try NormalizingFlow(layers: flow, dimension: 4, parameters: parameters),
    residual: ResidualCovariance(variances: variances, factors: factors))
}

/// What is done to a picture of the tiny model before it becomes data.
enum TinyDamage: String, CaseIterable, Sendable {
  case measured, masked, censored, maskedAndCensored
}

extension PAEModel {
  /// Data of a prior draw: σ = 0.2, a third masked, clipped to 0.35 … 0.65.
  func data(_ damage: TinyDamage, seed: UInt64) throws -> PixelData {
    var stream = RandomKey(seed: seed).child("data").stream()
    let picture = try images(of: generator, [stream.normals(4)])[0]
    var values = zip(picture, residualVariances).map { mean, variance in
      mean + Float((Double(variance) + 0.04).squareRoot() * stream.normal())
    }
    let isCensored = damage == .censored || damage == .maskedAndCensored
    if isCensored { values = values.map { min(max($0, 0.35), 0.65) } }
    let order = stream.permutation(64)
    var observed = [Bool](repeating: true, count: 64)
    if damage == .masked || damage == .maskedAndCensored {
      for pixel in order.prefix(21) { observed[pixel] = false }
    }
    return PixelData(
      values: values,
      kinds: PixelData.kinds(
        of: values, observed: observed, censored: isCensored, low: 0.35, high: 0.65),
      extraVariances: [Float](repeating: 0, count: values.count),
      residualVariances: residualVariances, low: 0.35, high: 0.65)
  }
}
