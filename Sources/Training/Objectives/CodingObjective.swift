import Maps
import Randomness
import Tensors

/// How a picture's code is made of what the encoder gives, and what it costs besides the squared error.
///
///     x, y   a picture and the decoder's, P elements
///     h      the encoder's outputs, E a picture
///     z      the decoder's input, the code, K a picture
///     R      Σ (x − y)², a picture's squared error
///     s²     variance of an element of x about y
///     D      cost of the code, nats
///
/// The loss is R, or R/2s² + ½P ln 2πs² + D in nats, its mean over the pictures. Gradients are those of
/// 2s²·loss with s² held fixed, so of R + 2s²·D: as large as the plain autoencoder's whatever s², so that
/// clipping and ε mean the same for all; AdamW's steps do not know a common factor.
package protocol CodingObjective {
  /// E.
  func encoderOutputs(latent: Int) -> Int
  /// A flow that is trained along; nil for none.
  var jointFlow: JointFlow? { get }
  /// Whether the epoch of the smallest held-out squared error is kept, not the last: where that error is
  /// all that a code is to be judged by.
  var keepsBest: Bool { get }
  /// - Parameters:
  ///   - elements: P. - latent: K.
  func makePlan(lanes: Int, latent: Int, elements: Int) throws(PlanError) -> any CodingPlan
}

/// An objective on `lanes` pictures: owns its buffers, allocates nothing, cannot throw. One owner, one
/// thread at a time.
package protocol CodingPlan: AnyObject {
  /// The gradient of this plan's mean D with respect to the weights of the joint flow, at the latest
  /// `pullBack`; nil without one.
  var flowGradient: FloatBuffer? { get }
  /// z from h. `outputs`: lanes × E; `codes`: lanes × K; `key` sets what is drawn.
  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey)
  /// The gradient with respect to h, at the latest `draw`, from that of R with respect to z.
  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost
}

/// What a plan sees of a step on its way back.
package struct CodingStep {
  /// h and z of the latest `draw`, lanes × E and lanes × K.
  package let outputs: UnsafePointer<Float>
  package let codes: UnsafePointer<Float>
  /// ∂(mean R)/∂z, lanes × K; the plan may overwrite it.
  package let codeCotangents: UnsafeMutablePointer<Float>
  /// Mean R of the plan's pictures.
  package let squares: Double
  /// How much of the training is done, 0 … 1.
  package let progress: Double
}

/// Means over pictures.
package struct CodingCost: Sendable, Equatable {
  /// In nats, or R itself where there is no s².
  package var loss: Double
  /// D where it is a divergence (nats), or KL for a D made of it; nil where codes cost nothing.
  package var divergence: Double?
  /// What the gradient of the loss was multiplied by: 2s², or 1.
  package var scale: Double
}

extension CodingCost {
  /// The mean of several plans'.
  static func mean(of costs: [CodingCost]) -> CodingCost {
    let count = Double(costs.count)
    return CodingCost(
      loss: costs.reduce(0) { $0 + $1.loss } / count,
      divergence: costs[0].divergence.map { _ in
        costs.reduce(0) { $0 + ($1.divergence ?? 0) } / count
      },
      scale: costs.reduce(0) { $0 + $1.scale } / count)
  }
}
