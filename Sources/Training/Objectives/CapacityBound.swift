import Maps

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
  package var keepsBest: Bool { false }

  /// C when `progress` of the training, 0 … 1, is done.
  func capacity(at progress: Double) -> Double { capacity * min(2 * progress, 1) }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    StandardNormalPlan(
      lanes: lanes, latent: latent, elements: elements, variance: .given(deviation: deviation)
    ) { divergence, progress in
      let excess = divergence - capacity(at: progress)
      return (beta * abs(excess), excess < 0 ? -beta : beta)
    }
  }
}
