import Maps

/// `vae`: minus the evidence lower bound, −E_q ln N(x; g(z), s²I) + KL(q(z|x) ‖ N(0, I)). A
/// learned s² is that of the pictures of one plan, half a batch.
package struct EvidenceBound: CodingObjective {
  let variance: PixelVariance

  package init(variance: PixelVariance) { self.variance = variance }
  package func encoderOutputs(latent: Int) -> Int { 2 * latent }
  package var jointFlow: JointFlow? { nil }
  package var keepsBest: Bool { false }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    StandardNormalPlan(lanes: lanes, latent: latent, elements: elements, variance: variance) {
      divergence, _ in (divergence, 1)
    }
  }
}
