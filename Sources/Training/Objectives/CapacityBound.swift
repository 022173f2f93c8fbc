import Maps
import Randomness
import Tensors

/// `beta-vae`: −E_q ln N(x; g(z), s²I) + β |KL − C|, KL the mean over the pictures of one plan (half a
/// batch) of KL(q(z|x) ‖ N(0, I)), nats; C rises linearly from 0 to the capacity over the first half of
/// the training's steps and stays there (Burgess et al. 2018, eq. 8; the half is ours).
/// The gradient at KL = C is that of KL > C.
package struct CapacityBound: CodingObjective {
  let beta: Double
  /// The last C, nats.
  let capacity: Double
  /// s, intensity.
  let deviation: Double

  package init(beta: Double, capacity: Double, deviation: Double) {
    self.beta = beta
    self.capacity = capacity
    self.deviation = deviation
  }

  package func encoderOutputs(latent: Int) -> Int { 2 * latent }
  package var jointFlow: JointFlow? { nil }

  /// C when `progress` of the training, 0 … 1, is done.
  func capacity(at progress: Double) -> Double { capacity * min(2 * progress, 1) }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    CapacityBoundPlan(self, draws: PosteriorDraws(lanes: lanes, latent: latent), elements: elements)
  }
}

private final class CapacityBoundPlan: CodingPlan {
  let flowGradient: FloatBuffer? = nil
  private let objective: CapacityBound
  private let draws: PosteriorDraws
  private let elements: Int

  init(_ objective: CapacityBound, draws: PosteriorDraws, elements: Int) {
    self.objective = objective
    self.draws = draws
    self.elements = elements
  }

  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    draws.draw(outputs, into: codes, key: key)
  }

  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost {
    let (variance, nats) = PixelVariance.given(deviation: objective.deviation).distortion(
      squares: step.squares, elements: elements)
    let divergence = draws.standardDivergence(step.outputs)
    let excess = divergence - objective.capacity(at: step.progress)
    let slope = excess < 0 ? -objective.beta : objective.beta
    draws.pullBack(step.codeCotangents, into: cotangents)
    draws.addStandardDivergence(2 * variance * slope, at: step.outputs, to: cotangents)
    return CodingCost(
      loss: nats + objective.beta * abs(excess), divergence: divergence, scale: 2 * variance)
  }
}
