import Maps
import Probability
import Tensors

extension ImagePosterior {
  /// The same draws in base variables: u = f(z), with ln p(u, y) = ln p(z, y) − ln|det ∂f/∂z|. ln σ,
  /// where it is inferred, stays the last coordinate. Draws that are in base variables come back as
  /// they are.
  package func baseDraws(_ draws: DrawSet) throws(PlanError) -> DrawSet {
    guard let flow else { return draws }
    let lanes = 64
    let latent = latentDimension
    let plan = try flow.makeNormalizingPlan(lanes: lanes)
    let (codes, base) = (FloatBuffer(lanes * latent), FloatBuffer(lanes * latent))
    let determinants = FloatBuffer(lanes)
    var positions = draws.positions
    var logDensities = draws.logDensities
    let total = draws.chains * draws.draws
    for first in stride(from: 0, to: total, by: lanes) {
      let count = min(lanes, total - first)
      for lane in 0..<count {
        for k in 0..<latent {
          codes.pointer[lane * latent + k] = Float(
            draws.positions[(first + lane) * draws.dimension + k])
        }
      }
      var baseSpan = base.buffer.mutableSpan
      var determinantSpan = determinants.buffer.mutableSpan
      plan.apply(codes.buffer.span, into: &baseSpan, logDeterminants: &determinantSpan)
      for lane in 0..<count {
        for k in 0..<latent {
          positions[(first + lane) * draws.dimension + k] = Double(
            base.pointer[lane * latent + k])
        }
        logDensities[first + lane] -= Double(determinants.pointer[lane])
      }
    }
    return DrawSet(
      chains: draws.chains, draws: draws.draws, dimension: draws.dimension, positions: positions,
      logDensities: logDensities)
  }
}
