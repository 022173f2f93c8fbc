import Foundation
import Likelihoods
import Maps
import Numerics
import Probability
import Tensors

// Notation: ImagePosterior.swift.

/// The log posterior of a batch of positions and its gradient: through the maps to the means of the data,
/// the likelihood there, its gradient back, the priors. One owner, one thread at a time.
package final class ImagePosteriorEvaluator: LogDensityEvaluator {
  private let posterior: ImagePosterior
  private let lanes: [Int]
  private let plan: any MapPlan
  private let prior: FlowPriorPlan?
  private let likelihood: any LikelihoodEvaluator
  private let coordinates: FloatBuffer
  /// The coordinates as the maps take them; the same buffer where none is scaled.
  private let base: FloatBuffer
  private let baseGradients: FloatBuffer
  private let means: FloatBuffer
  private let meanGradients: FloatBuffer
  private var levels: [NoiseLevels]
  private var likelihoods: [Double]
  private var logSigmaGradients: [Double]
  private var logScaleGradients: [Double]
  /// Where `logDensities` leaves what it has no use for, lanes × dimension.
  private var unusedGradients: [Double]

  init(
    _ posterior: ImagePosterior, lanes: [Int], plan: any MapPlan,
    likelihood: any LikelihoodEvaluator, prior: FlowPriorPlan?
  ) {
    self.posterior = posterior
    self.lanes = lanes
    self.plan = plan
    self.prior = prior
    self.likelihood = likelihood
    coordinates = FloatBuffer(lanes.count * posterior.latentDimension)
    base =
      posterior.scaledCount == 0
      ? coordinates : FloatBuffer(lanes.count * posterior.latentDimension)
    baseGradients = FloatBuffer(lanes.count * posterior.latentDimension)
    means = FloatBuffer(lanes.count * posterior.meanMap.codomain.count)
    meanGradients = FloatBuffer(means.count)
    levels = [NoiseLevels](repeating: NoiseLevels(sigma: 1), count: lanes.count)
    likelihoods = [Double](repeating: 0, count: lanes.count)
    logSigmaGradients = likelihoods
    logScaleGradients = likelihoods
    unusedGradients = [Double](repeating: 0, count: lanes.count * posterior.dimension)
  }

  package func evaluate(
    _ positions: Span<Double>, values: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    load(positions)
    evaluateDensities()
    // At once, while the flow's weights are near: the decoder's drive them out of the caches.
    prior?.differentiate()
    var baseGradientSpan = baseGradients.buffer.mutableSpan
    plan.vjp(meanGradients.buffer.span, into: &baseGradientSpan)
    for lane in lanes.indices {
      finish(lane, positions, &values, &gradients)
    }
  }

  /// The values of `evaluate` without its gradients, at less than half the cost: nothing goes back through
  /// the maps.
  package func logDensities(_ positions: Span<Double>, into values: inout MutableSpan<Double>) {
    load(positions)
    evaluateDensities()
    // Those of an earlier `evaluate` would have a say in whether a lane is finite.
    baseGradients.pointer.update(repeating: 0, count: baseGradients.count)
    prior?.forgetGradients()
    var gradients = unusedGradients.mutableSpan
    for lane in lanes.indices {
      finish(lane, positions, &values, &gradients)
    }
  }

  /// Coordinates and levels of all lanes, and what the maps take of them.
  private func load(_ positions: Span<Double>) {
    let (latent, dimension) = (posterior.latentDimension, posterior.dimension)
    for lane in lanes.indices {
      for k in 0..<latent {
        coordinates.pointer[lane * latent + k] = Float(positions[lane * dimension + k])
      }
      setLevels(lane, positions)
      if base !== coordinates {
        let scale = Float(levels[lane].residualScale)
        for k in 0..<latent {
          let value = coordinates.pointer[lane * latent + k]
          base.pointer[lane * latent + k] =
            k < latent - posterior.scaledCount ? value : value * scale
        }
      }
    }
  }

  /// Likelihood and flow at the loaded coordinates; of the likelihood also the gradients in means and levels.
  private func evaluateDensities() {
    var meanSpan = means.buffer.mutableSpan
    plan.apply(base.buffer.span, into: &meanSpan)
    var densitySpan = likelihoods.mutableSpan
    var meanGradientSpan = meanGradients.buffer.mutableSpan
    var sigmaSpan = logSigmaGradients.mutableSpan
    var scaleSpan = logScaleGradients.mutableSpan
    likelihood.evaluate(
      means: means.buffer.span, levels: levels.span, logDensities: &densitySpan,
      meanGradients: &meanGradientSpan, logSigmaGradients: &sigmaSpan,
      logScaleGradients: &scaleSpan)
    prior?.apply(coordinates)
  }

  private func setLevels(_ lane: Int, _ positions: Span<Double>) {
    func level(_ index: Int) -> Double {
      exp(min(max(positions[lane * posterior.dimension + index], -40), 40))
    }
    switch posterior.noiseLevel {
    case .known(let known): levels[lane].sigma = known[lanes[lane]]
    case .inferred: levels[lane].sigma = level(posterior.latentDimension)
    }
    if posterior.residualScale != nil {
      levels[lane].residualScale = level(posterior.dimension - 1)
    }
  }

  /// The log likelihood (nats) of a lane at the latest positions; writes its gradient into the lane's row.
  func logLikelihood(_ lane: Int, gradients: inout [Double]) -> Double {
    let (latent, dimension) = (posterior.latentDimension, posterior.dimension)
    var scaleGradient = logScaleGradients[lane]
    for k in 0..<latent {
      var slope = Double(baseGradients.pointer[lane * latent + k])
      if k >= latent - posterior.scaledCount {
        scaleGradient += slope * Double(base.pointer[lane * latent + k])
        slope *= levels[lane].residualScale
      }
      gradients[lane * dimension + k] = slope
    }
    if let index = posterior.logSigmaIndex {
      gradients[lane * dimension + index] = logSigmaGradients[lane]
    }
    if let index = posterior.logScaleIndex { gradients[lane * dimension + index] = scaleGradient }
    return likelihoods[lane] + posterior.logVolume
  }

  /// Adds the priors; −∞ and zeros where anything is not finite.
  private func finish(
    _ lane: Int, _ positions: Span<Double>, _ values: inout MutableSpan<Double>,
    _ gradients: inout MutableSpan<Double>
  ) {
    let (latent, dimension) = (posterior.latentDimension, posterior.dimension)
    let beta = posterior.inverseTemperature
    var value =
      beta * (likelihoods[lane] + posterior.logVolume) - 0.5 * Double(latent) * log(2 * .pi)
    if let prior { value += Double(prior.logDeterminants.pointer[lane]) }
    var isFinite = true
    var scaleGradient = logScaleGradients[lane]
    for k in 0..<latent {
      var slope = Double(baseGradients.pointer[lane * latent + k])
      if k >= latent - posterior.scaledCount {
        scaleGradient += slope * Double(base.pointer[lane * latent + k])
        slope *= levels[lane].residualScale
      }
      let likelihoodGradient = beta * slope
      let gradient: Double
      if k >= latent - posterior.logarithmicCount {
        // Its density e^w has no factor (2π)^−½.
        value += positions[lane * dimension + k] + 0.5 * log(2 * .pi)
        gradient = likelihoodGradient + 1
      } else if let prior {
        let u = Double(prior.base.pointer[lane * latent + k])
        value -= 0.5 * u * u
        gradient = likelihoodGradient + Double(prior.gradients.pointer[lane * latent + k])
      } else {
        let u = positions[lane * dimension + k]
        value -= 0.5 * u * u
        gradient = likelihoodGradient - u
      }
      isFinite = isFinite && gradient.isFinite
      gradients[lane * dimension + k] = gradient
    }
    if case .inferred(let estimates) = posterior.noiseLevel {
      let spread = NoiseLevel.priorSpread
      let logSigma = positions[lane * dimension + latent]
      let deviation = (logSigma - log(estimates[lanes[lane]])) / spread
      value -= 0.5 * deviation * deviation + log(spread) + 0.5 * log(2 * .pi)
      let gradient = beta * logSigmaGradients[lane] - deviation / spread
      isFinite = isFinite && gradient.isFinite && abs(logSigma) < 40
      gradients[lane * dimension + latent] = gradient
    }
    if let scale = posterior.residualScale {
      let logScale = positions[lane * dimension + dimension - 1]
      let deviation = (logScale - scale.mean) / scale.deviation
      value -= 0.5 * deviation * deviation + log(scale.deviation) + 0.5 * log(2 * .pi)
      let gradient = beta * scaleGradient - deviation / scale.deviation
      isFinite = isFinite && gradient.isFinite && abs(logScale) < 40
      gradients[lane * dimension + dimension - 1] = gradient
    }
    guard isFinite, value.isFinite else {
      values[lane] = -.infinity
      for k in 0..<dimension { gradients[lane * dimension + k] = 0 }
      return
    }
    values[lane] = value
  }
}
