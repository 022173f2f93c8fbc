import Flows
import Likelihoods
import Maps
import Noise
import Probability
import Tensors

/// The Gauss–Newton precision of the posterior at a position: P + Jᵀ W J with J the Jacobian of the
/// data's means, W the curvature of each datum's term (C⁻¹ where data are correlated), and P = I in
/// base variables, FᵀF in codes (F = ∂f/∂z, the Gauss–Newton part of the flow density's curvature);
/// dense, row-major, `dimension` × `dimension`; the rows of ln σ and ln α hold their priors' precisions and the Fisher information of the variances v.
///
/// J comes from central differences with step `differenceStep`, all 2K directions in one batch: a
/// metric needs no more, and the cost is 2K forward passes. Float32 leaves errors near 1e-5 of the
/// largest entry.
package struct GaussNewtonMetric {
  /// Where the cubic error of the difference and Float32's rounding meet: about 2⁻²³^(1/3).
  static let differenceStep: Float = 5e-3

  let posterior: ImagePosterior
  private let plan: any MapPlan
  private let flowPlan: (any NormalizingPlan)?
  /// C⁻¹ of correlated data, a lane for each column of J; nil for independent data.
  private let noisePlan: (any NoisePlan)?

  package init(_ posterior: ImagePosterior) throws(PlanError) {
    self.posterior = posterior
    let lanes = 2 * posterior.latentDimension + 1
    plan = try posterior.meanMap.makePlan(lanes: lanes)
    var flowPlan: (any NormalizingPlan)?
    if let flow = posterior.flow { flowPlan = try flow.makeNormalizingPlan(lanes: lanes) }
    self.flowPlan = flowPlan
    var noisePlan: (any NoisePlan)?
    if case .correlated(let noise) = posterior.law {
      noisePlan = try noise.makePlan(lanes: posterior.latentDimension)
    }
    self.noisePlan = noisePlan
  }

  /// The precision matrix at `position` of problem `problem`.
  package func precision(at position: [Double], problem: Int) -> [Double] {
    let (latent, dimension) = (posterior.latentDimension, posterior.dimension)
    let count = posterior.meanMap.codomain.count
    let lanes = 2 * latent + 1
    var base = [Float](repeating: 0, count: lanes * latent)
    let levels = posterior.levels(of: position, problem: problem)
    for lane in 0..<lanes {
      for k in 0..<latent { base[lane * latent + k] = Float(position[k]) }
      if lane < latent { base[lane * latent + lane] += Self.differenceStep }
      if (latent..<2 * latent).contains(lane) {
        base[lane * latent + lane - latent] -= Self.differenceStep
      }
    }
    var mapped = base
    for index in mapped.indices where index % latent >= latent - posterior.scaledCount {
      mapped[index] *= Float(levels.residualScale)
    }
    var means = [Float](repeating: 0, count: lanes * count)
    var meanSpan = means.mutableSpan
    plan.apply(mapped.span, into: &meanSpan)
    let mean = Array(means[2 * latent * count..<lanes * count])
    let shares = posterior.responsibilities(mean: mean, levels, problem: problem)
    let information =
      noisePlan.map { correlatedInformation(means, $0) }
      ?? independentInformation(
        means, weights: curvatures(mean: mean, levels, problem: problem, shares: shares))
    var result = [Double](repeating: 0, count: dimension * dimension)
    let beta = posterior.inverseTemperature
    let prior = priorPrecision(base, lanes: lanes)
    for row in 0..<latent {
      for column in 0...row {
        result[row * dimension + column] =
          beta * information[row * latent + column] + prior[row * latent + column]
        result[column * dimension + row] = result[row * dimension + column]
      }
    }
    addLevels(levels, mean: mean, problem: problem, shares: shares, to: &result)
    return result
  }

  /// I, or FᵀF by the differences that `base` holds: K × K.
  private func priorPrecision(_ base: [Float], lanes: Int) -> [Double] {
    let latent = posterior.latentDimension
    var result = [Double](repeating: 0, count: latent * latent)
    guard let flowPlan else {
      for k in 0..<latent { result[k * (latent + 1)] = 1 }
      return result
    }
    var outputs = base
    var outputSpan = outputs.mutableSpan
    var determinants = [Float](repeating: 0, count: lanes)
    var determinantSpan = determinants.mutableSpan
    flowPlan.apply(base.span, into: &outputSpan, logDeterminants: &determinantSpan)
    let scale = 1 / (2 * Double(Self.differenceStep))
    // Row k: ∂u/∂z_k.
    let jacobian = (0..<latent * latent).map { index in
      Double(outputs[index] - outputs[latent * latent + index]) * scale
    }
    for row in 0..<latent {
      for column in 0...row {
        let sum = (0..<latent).reduce(0.0) {
          $0 + jacobian[row * latent + $1] * jacobian[column * latent + $1]
        }
        result[row * latent + column] = sum
        result[column * latent + row] = sum
      }
    }
    return result
  }

  /// Those of each law of the noise times its share.
  private func curvatures(
    mean: [Float], _ levels: NoiseLevels, problem: Int, shares: [Double]
  ) -> [Float] {
    let evaluator = CensoredEvaluator(
      problems: posterior.data(of: problem), lanes: Array(shares.indices))
    let repeated = shares.map { _ in levels }
    var weights = [Float](repeating: 0, count: mean.count)
    var span = weights.mutableSpan
    evaluator.curvatures(means: mean.span, levels: repeated.span, into: &span)
    let count = mean.count / shares.count
    for index in weights.indices { weights[index] *= Float(shares[index / count]) }
    return weights
  }

  /// Prior precision and Fisher information Σ ½ (∂ ln v/∂·)(∂ ln v/∂·) of ln σ and ln α.
  private func addLevels(
    _ levels: NoiseLevels, mean: [Float], problem: Int, shares: [Double],
    to result: inout [Double]
  ) {
    guard posterior.dimension > posterior.latentDimension else { return }
    var (sigmas, scales, common) = (0.0, 0.0, 0.0)
    for (law, data) in posterior.data(of: problem).enumerated() {
      for index in data.kinds.indices where data.kinds[index] != .unobserved {
        let own = levels.sigma * levels.sigma
        let painted = mean[law * data.count + index]
        let residual = data.scaledVariance(index, mean: painted, levels)
        let total = data.variance(index, mean: painted, levels)
        // A censored datum says about half of what a measured one says of the level.
        let weight = shares[law] * (data.kinds[index] == .measured ? 2 : 1) / (total * total)
        sigmas += weight * own * own
        scales += weight * residual * residual
        common += weight * own * residual
      }
    }
    let (dimension, beta) = (posterior.dimension, posterior.inverseTemperature)
    if let row = posterior.logSigmaIndex {
      result[row * (dimension + 1)] =
        1 / (NoiseLevel.priorSpread * NoiseLevel.priorSpread) + beta * sigmas
    }
    if let row = posterior.logScaleIndex, let scale = posterior.residualScale {
      result[row * (dimension + 1)] = 1 / (scale.deviation * scale.deviation) + beta * scales
      if let column = posterior.logSigmaIndex {
        result[row * dimension + column] = beta * common
        result[column * dimension + row] = beta * common
      }
    }
  }
}
