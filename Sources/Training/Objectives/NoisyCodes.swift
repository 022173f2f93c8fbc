import Maps
import Randomness
import Tensors

/// z = h + d·ε, ε ~ N(0, I), and the loss is R: `beta0-vae`, a variational autoencoder whose posterior
/// deviation d is fixed and whose divergence from a prior costs nothing (named so by Böhm and Seljak 2022).
package struct NoisyCodes: CodingObjective {
  /// d, in units of the code.
  let deviation: Double

  package init(deviation: Double) {
    precondition(deviation > 0)
    self.deviation = deviation
  }

  package func encoderOutputs(latent: Int) -> Int { latent }
  package var jointFlow: JointFlow? { nil }
  package var keepsBest: Bool { true }

  package func makePlan(
    lanes: Int, latent: Int, elements: Int
  ) throws(PlanError) -> any CodingPlan {
    NoisyCodesPlan(count: lanes * latent, deviation: deviation)
  }
}

private final class NoisyCodesPlan: CodingPlan {
  let flowGradient: FloatBuffer? = nil
  private let count: Int
  private let deviation: Double

  init(count: Int, deviation: Double) {
    self.count = count
    self.deviation = deviation
  }

  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    var stream = key.stream()
    for index in 0..<count { codes[index] = outputs[index] + Float(deviation * stream.normal()) }
  }

  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost {
    cotangents.update(from: step.codeCotangents, count: count)
    return CodingCost(loss: step.squares, divergence: nil, scale: 1)
  }
}
