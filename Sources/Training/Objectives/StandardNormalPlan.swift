import Maps
import Randomness
import Tensors

/// The plan of objectives whose codes are drawn from q(z|x) = N(m, diag e^v) and cost what a function of
/// KL(q(z|x) ‖ N(0, I)) says: −E_q ln N(x; g(z), s²I) by one draw of z, plus that cost. KL is the mean over
/// the plan's pictures, in closed form (Kingma and Welling 2014, eq. 10).
final class StandardNormalPlan: CodingPlan {
  let flowGradient: FloatBuffer? = nil
  private let draws: PosteriorDraws
  private let variance: PixelVariance
  private let elements: Int
  private let cost: (_ divergence: Double, _ progress: Double) -> (nats: Double, slope: Double)

  /// - Parameters:
  ///   - elements: P.
  ///   - cost: D of the divergence, nats, when `progress` of the training, 0 … 1, is done; and ∂D/∂KL.
  init(
    lanes: Int, latent: Int, elements: Int, variance: PixelVariance,
    cost: @escaping (_ divergence: Double, _ progress: Double) -> (nats: Double, slope: Double)
  ) {
    draws = PosteriorDraws(lanes: lanes, latent: latent)
    self.variance = variance
    self.elements = elements
    self.cost = cost
  }

  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    draws.draw(outputs, into: codes, key: key)
  }

  func pullBack(_ step: CodingStep, into cotangents: UnsafeMutablePointer<Float>) -> CodingCost {
    let (variance, nats) = variance.distortion(squares: step.squares, elements: elements)
    let divergence = draws.standardDivergence(step.outputs)
    let cost = cost(divergence, step.progress)
    draws.pullBack(step.codeCotangents, into: cotangents)
    draws.addStandardDivergence(2 * variance * cost.slope, at: step.outputs, to: cotangents)
    return CodingCost(loss: nats + cost.nats, divergence: divergence, scale: 2 * variance)
  }
}
