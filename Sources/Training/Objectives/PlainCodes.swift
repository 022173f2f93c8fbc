import Maps
import Randomness
import Tensors

/// z = h, and the loss is R: the autoencoder of `pae` and `ae`.
package struct PlainCodes: CodingObjective {
  package init() {}
  package func encoderOutputs(latent: Int) -> Int { latent }
  package var jointFlow: JointFlow? { nil }
  package var keepsBest: Bool { true }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    PlainCodesPlan(count: lanes * latent)
  }
}

private final class PlainCodesPlan: CodingPlan {
  let flowGradient: FloatBuffer? = nil
  private let count: Int

  init(count: Int) { self.count = count }

  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    codes.update(from: outputs, count: count)
  }

  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost {
    cotangents.update(from: step.codeCotangents, count: count)
    return CodingCost(loss: step.squares, divergence: nil, scale: 1)
  }
}
