/// The options that an objective was trained with, and what is known of it on held-out pictures; what
/// does not belong to the objective is nil and not written.
///
///     s    standard deviation of a pixel about the painted picture, intensity
///     KL   E_q[ln q(z|x) − ln p(z)] of the encoder's Gaussian q(z|x) and the prior p(z), nats a picture
public struct ObjectiveRecord: Codable, Sendable, Equatable {
  /// β of `beta-vae`.
  public var beta: Double?
  /// The KL, in nats, that `beta-vae` was held to at the end.
  public var capacity: Double?
  /// s.
  public var pixelDeviation: Double?
  /// Whether s was learned; nil where there is no s.
  public var isPixelDeviationLearned: Bool?
  /// Standard deviation of each code about the encoder's mean, of `beta0-vae`; units of the code.
  public var posteriorDeviation: Double?
  /// KL, mean over held-out pictures with one draw each.
  public var heldOutDivergence: Double?
  /// The evidence lower bound E_q ln p(x|z) − KL, likewise, nats.
  public var heldOutEvidenceBound: Double?
  /// Mean ln p(x) of held-out pictures, nats, where it is known exactly: of `ppca`.
  public var heldOutLogLikelihood: Double?

  public init() {}
}
