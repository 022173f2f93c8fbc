import Maps
import Randomness
import Tensors

/// `vae`: minus the evidence lower bound, −E_q ln N(x; g(z), s²I) + KL(q(z|x) ‖ N(0, I)), by one draw of z
/// and the divergence in closed form (Kingma and Welling 2014, eq. 10). A learned s² is that of the
/// pictures of one plan, half a batch.
package struct EvidenceBound: CodingObjective {
  let variance: PixelVariance

  package init(variance: PixelVariance) { self.variance = variance }
  package func encoderOutputs(latent: Int) -> Int { 2 * latent }
  package var jointFlow: JointFlow? { nil }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    EvidenceBoundPlan(self, draws: PosteriorDraws(lanes: lanes, latent: latent), elements: elements)
  }
}

private final class EvidenceBoundPlan: CodingPlan {
  let flowGradient: FloatBuffer? = nil
  private let objective: EvidenceBound
  private let draws: PosteriorDraws
  private let elements: Int

  init(_ objective: EvidenceBound, draws: PosteriorDraws, elements: Int) {
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
    let (variance, nats) = objective.variance.distortion(
      squares: step.squares, elements: elements)
    let divergence = draws.standardDivergence(step.outputs)
    draws.pullBack(step.codeCotangents, into: cotangents)
    draws.addStandardDivergence(2 * variance, at: step.outputs, to: cotangents)
    return CodingCost(loss: nats + divergence, divergence: divergence, scale: 2 * variance)
  }
}
