import Flows
import Maps
import Randomness
import Tensors

/// `flow-vae`: the evidence lower bound with a flow as prior, trained together with encoder and decoder:
/// −E_q ln N(x; g(z), s²I) + ln q(z|x) − ln p_flow(z), all by one draw of z. A learned s² is that of the
/// pictures of one plan. The flow's own gradient is that of the loss in nats, as in a flow's stage 2.
package struct FlowEvidenceBound: CodingObjective {
  let variance: PixelVariance
  let flow: JointFlow

  package init(variance: PixelVariance, flow: JointFlow) {
    self.variance = variance
    self.flow = flow
  }

  package func encoderOutputs(latent: Int) -> Int { 2 * latent }
  package var jointFlow: JointFlow? { flow }
  package var keepsBest: Bool { false }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    try FlowEvidenceBoundPlan(self, lanes: lanes, latent: latent, elements: elements)
  }
}

private final class FlowEvidenceBoundPlan: CodingPlan {
  private let gradient: FloatBuffer
  private let objective: FlowEvidenceBound
  private let draws: PosteriorDraws
  private let plan: FlowTrainingPlan
  private let priorCotangents: FloatBuffer
  private let count: Int
  private let elements: Int

  init(
    _ objective: FlowEvidenceBound, lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) {
    self.objective = objective
    self.elements = elements
    count = lanes * latent
    draws = PosteriorDraws(lanes: lanes, latent: latent)
    plan = try FlowTrainingPlan(objective.flow.flow, lanes: lanes, dropout: 0)
    gradient = FloatBuffer(objective.flow.weights.count)
    priorCotangents = FloatBuffer(lanes * latent)
  }

  var flowGradient: FloatBuffer? { gradient }

  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    draws.draw(outputs, into: codes, key: key)
  }

  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost {
    let (variance, nats) = objective.variance.distortion(
      squares: step.squares, elements: elements)
    gradient.pointer.update(repeating: 0, count: gradient.count)
    // The key would set dropout masks, of which there are none.
    let codes = UnsafeBufferPointer(start: step.codes, count: count)
    let prior = plan.step(
      parameters: objective.flow.weights.pointer, codes: codes.span, key: RandomKey(seed: 0),
      gradient: gradient.pointer)
    var span = priorCotangents.buffer.mutableSpan
    plan.codeCotangents(into: &span)
    let weight = Float(2 * variance)
    for index in 0..<count {
      step.codeCotangents[index] += weight * priorCotangents.pointer[index]
    }
    draws.pullBack(step.codeCotangents, into: cotangents)
    draws.addLogDensity(2 * variance, to: cotangents)
    let divergence = draws.logDensity(step.outputs) + prior
    return CodingCost(loss: nats + divergence, divergence: divergence, scale: 2 * variance)
  }
}
