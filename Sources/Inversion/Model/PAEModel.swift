import Flows
import Likelihoods
import Maps
import Networks
import Noise
import Tensors

/// A trained Probabilistic Autoencoder: encoder e, decoder g, flow f on the codes, residual Σ.
///
/// u = f(e(x)) and x ≈ g(T(u)), T = f⁻¹ (Böhm and Seljak, TMLR 2022, arXiv 2006.05479).
public struct PAEModel: Prior {
  public let description: ModelDescription
  /// e, K outputs: codes, or their means where the encoder tells variances too.
  public let encoder: Network
  /// The encoder as the file has it: e, or its 2K outputs (`ModelDescription.Objective.encodesVariances`),
  /// K means and then K logarithms of variances.
  public let recognition: Network
  public let decoder: Network
  public let flow: NormalizingFlow
  public let residual: ResidualCovariance
  /// The diagonal of Σ, kept because it costs O(R P).
  public let residualVariances: [Float]
  public let generator: any DifferentiableMap
  /// How the residual's size differs from picture to picture; nil for files that do not say.
  public let residualScale: ResidualScale?
  /// The residual by painted intensity; nil for files that do not have it.
  public let intensityResidual: IntensityResidual?

  /// - Parameter encoder: as the file has it, see `recognition`.
  /// - Throws: `ModelError` when the parts do not fit one another.
  public init(
    description: ModelDescription, encoder: Network, decoder: Network, flow: NormalizingFlow,
    residual: ResidualCovariance, intensityVariance: IntensityVariance? = nil
  ) throws(ModelError) {
    let shape = description.image.shape
    let latent = description.latent
    let outputs = description.objective.encodesVariances ? 2 * latent : latent
    guard encoder.domain == shape, encoder.codomain.count == outputs else {
      throw .parts("the encoder maps \(encoder.domain) to \(encoder.codomain)")
    }
    guard let codes = outputs == latent ? encoder : encoder.keepingOutputs(latent) else {
      throw .parts("the encoder of means and variances does not end with a linear layer")
    }
    guard decoder.domain.count == latent, decoder.codomain.count == shape.count else {
      throw .parts("the decoder maps \(decoder.domain) to \(decoder.codomain)")
    }
    guard flow.dimension == latent else { throw .parts("the flow has \(flow.dimension) variables") }
    guard residual.count == shape.count else {
      throw .parts("the residual has \(residual.count) variances for \(shape.count) elements")
    }
    guard residual.rank == description.residual.rank else {
      throw .parts("the residual has \(residual.rank) factors, not \(description.residual.rank)")
    }
    let variances = residual.marginalVariances
    guard variances.allSatisfy(\.isFinite) else {
      throw .parts("the residual's variances are beyond single precision")
    }
    self.description = description
    self.encoder = codes
    recognition = encoder
    self.decoder = decoder
    self.flow = flow
    self.residual = residual
    switch (description.residual.logScaleMean, description.residual.logScaleDeviation) {
    case (nil, nil): residualScale = nil
    case (let mean?, let deviation?) where abs(mean) < 20 && deviation > 0 && deviation < 20:
      residualScale = ResidualScale(mean: mean, deviation: deviation)
    default:
      throw .parts("the residual's logScaleMean and logScaleDeviation make no sense")
    }
    switch (description.residual.intensity, intensityVariance) {
    case (nil, nil): intensityResidual = nil
    case (let stated?, let variance?)
    where stated.knots == variance.knots.count && (stated.rounding ?? 0) == variance.rounding
      && stated.logScaleDeviation > 0 && stated.logScaleDeviation < 20:
      intensityResidual = IntensityResidual(
        variance: variance, scale: ResidualScale(mean: 0, deviation: stated.logScaleDeviation))
    default: throw .parts("the residual's intensity and its knots do not agree")
    }
    residualVariances = variances
    if let scores = description.scores, let fault = scores.fault {
      throw .parts("the quantiles of scores: \(fault)")
    }
    do {
      generator = try ComposedMap([flow.generator, decoder])
    } catch {
      throw .parts("\(error)")
    }
  }
}

extension PAEModel {
  /// The same model with other quantiles of scores.
  package func withScores(_ scores: ScoreQuantiles?) throws(ModelError) -> PAEModel {
    var description = self.description
    description.scores = scores
    return try PAEModel(
      description: description, encoder: recognition, decoder: decoder, flow: flow,
      residual: residual, intensityVariance: intensityResidual?.variance)
  }
}

/// Why there is no model.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// The parts of a description do not fit one another.
  case parts(String)

  public var description: String {
    switch self {
    case .parts(let what): "the model's parts do not fit: \(what)"
    }
  }
}
