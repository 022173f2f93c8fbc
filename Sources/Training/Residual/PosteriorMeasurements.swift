import Flows
import Foundation
import Inversion
import Maps
import Networks
import Numerics
import Randomness
import Tensors

/// What a variational autoencoder's evidence lower bound is made of, by one draw z of q(z|x) for each of a
/// set of pictures. Cost: one pass through both networks on one thread.
struct PosteriorMeasurements {
  /// Mean squared error per element of g(z).
  let meanSquaredError: Double
  /// Mean of ln q(z|x) − ln p(z), nats, p the flow's density.
  let divergence: Double
  private let elements: Int

  private static let lanes = 50

  /// `encoder`: 2K outputs.
  init(
    _ images: any ImageSource, encoder: Network, decoder: Network, flow: NormalizingFlow,
    key: RandomKey
  ) throws(PlanError) {
    let latent = decoder.domain.count
    elements = images.shape.count
    let lanes = Self.lanes
    let encoding = try encoder.makePlan(lanes: lanes)
    let decoding = try decoder.makePlan(lanes: lanes)
    let draws = PosteriorDraws(lanes: lanes, latent: latent)
    let pictures = FloatBuffer(lanes * elements)
    let painted = FloatBuffer(lanes * elements)
    let outputs = FloatBuffer(lanes * 2 * latent)
    let codes = FloatBuffer(lanes * latent)
    var squares = 0.0
    var divergence = 0.0
    for first in stride(from: 0, to: images.count, by: lanes) {
      let count = min(lanes, images.count - first)
      for lane in 0..<count { images.copy(first + lane, into: pictures.pointer + lane * elements) }
      var outputSpan = outputs.buffer.mutableSpan
      encoding.apply(pictures.buffer.span, into: &outputSpan)
      draws.draw(outputs.pointer, into: codes.pointer, key: key.child(first))
      var paintedSpan = painted.buffer.mutableSpan
      decoding.apply(codes.buffer.span, into: &paintedSpan)
      for index in 0..<count * elements {
        let difference = Double(pictures.pointer[index]) - Double(painted.pointer[index])
        squares += difference * difference
      }
      let densities = try flow.logDensity(of: Array(codes.buffer.prefix(count * latent)))
      for lane in 0..<count {
        divergence += draws.logDensity(outputs.pointer, lane: lane) - densities[lane]
      }
    }
    meanSquaredError = squares / Double(images.count * elements)
    self.divergence = divergence / Double(images.count)
  }

  /// Enters s, where it is learned, the divergence and the bound.
  func note(in record: inout ObjectiveRecord) {
    let variance = record.pixelDeviation.map { PixelVariance.given(deviation: $0) } ?? .learned
    let (value, nats) = variance.distortion(
      squares: meanSquaredError * Double(elements), elements: elements)
    record.pixelDeviation = record.pixelDeviation ?? value.squareRoot()
    record.heldOutDivergence = divergence
    record.heldOutEvidenceBound = -nats - divergence
  }
}
