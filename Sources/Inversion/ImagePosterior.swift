import Flows
import Foundation
import Maps
import Measurement
import Probability
import Tensors

// Notation
//   u   base variables, K            x = G(u)  mean image, D = C·H·W
//   z   latent code, K: u = f(z), G(u) = g(z)
//   σ   noise level of a problem     β  inverse temperature of the likelihood, 1 for the posterior
//   α   scale of the decoder's residual in this picture, 1 where it is not inferred
//
//   ln p(u, y) = −½‖u‖² − ½K ln 2π + β Σ_i L_i(G(u)_i, σ)      (+ the priors of ln σ and ln α)
//   ln p(z, y) = ln p(u, y) at u = f(z), + ln|det ∂f/∂z|
//
// Both are the same posterior of x. A flow that separates clusters of codes stretches the space between
// them: in u the posterior has curvatures hundreds of times that of its own covariance there, in z
// it is nearly as round as the decoder allows, so chains run in z by default.
//
// L_i is the censored Gaussian term of datum i (Measurement/CensoredEvaluator), its variance
// σ² + r_i + α²s_i with r_i rounding and the square of a sigma map, s_i the decoder's residual variance. With an
// instrument M (Measurement/DiagonalizedMeasurement) data are turned so that they are independent, and
// datum i has the mean (M G(u))_i.

/// The log density of base variables or codes (and ln σ, when it is inferred) given data, for several
/// problems that share the prior: position = (u_1 … u_K [, ln σ] [, ln α]), or z for u; nats, all
/// constants.
package struct ImagePosterior: TemperedLogDensity {
  /// From the coordinates, u or z, to the mean image.
  package let generator: any DifferentiableMap
  /// nil: the coordinates are base variables u with prior N(0, I). Else they are codes z whose prior
  /// is the density of this flow, and `generator` is the decoder alone.
  package let flow: (any Bijection)?
  /// From mean images to the means of the data; nil: each datum is an element of the image.
  package let instrument: (any DifferentiableMap)?
  /// ln|det| of what turned the data, for ln p of the data as they were.
  package let logVolume: Double
  /// From the coordinates to the means of the data.
  package let meanMap: any DifferentiableMap
  /// Each problem's data; where the noise has alternatives, its data under each of them in turn.
  package let problems: [PixelData]
  /// Laws of the noise that are summed out; nil for one law. The instrument gives the data under each then,
  /// J·D.
  package let alternatives: NoiseAlternatives?
  package let noiseLevel: NoiseLevel
  /// The prior of ln α, which is inferred then; nil for α = 1.
  package let residualScale: ResidualScale?
  /// Coordinates at the end of the latent ones that are multiplied by α before they are mapped: the
  /// coefficients of painted factors.
  package let scaledCount: Int
  /// Coordinates at the end of the latent ones with density e^w instead of a normal one: logarithms of
  /// distances to the ends of the range (`UnclippedValues`).
  package let logarithmicCount: Int
  /// C×H×W: the generator's codomain, or what of it is the picture.
  package let pictureShape: Shape
  /// β.
  package let inverseTemperature: Double

  /// - Precondition: as many noise levels as problems, at least one; data of the instrument's codomain,
  ///   or of the generator's without one.
  package init(
    generator: any DifferentiableMap, flow: (any Bijection)? = nil,
    instrument: (any DifferentiableMap)? = nil, logVolume: Double = 0, problems: [PixelData],
    alternatives: NoiseAlternatives? = nil,
    noiseLevel: NoiseLevel, residualScale: ResidualScale? = nil, scaledCount: Int = 0,
    logarithmicCount: Int = 0, pictureShape: Shape? = nil, inverseTemperature: Double = 1
  ) {
    precondition(scaledCount == 0 || logarithmicCount == 0)
    precondition(flow.map { $0.dimension == generator.domain.count } ?? true)
    let laws = alternatives?.count ?? 1
    precondition(!problems.isEmpty && noiseLevel.problemCount * laws == problems.count)
    self.generator = generator
    self.flow = flow
    self.instrument = instrument
    self.logVolume = logVolume
    if let instrument {
      guard let composed = try? ComposedMap([generator, instrument]) else {
        preconditionFailure("the instrument takes pictures of another size")
      }
      meanMap = composed
    } else {
      meanMap = generator
    }
    precondition(
      problems.allSatisfy { [count = meanMap.codomain.count] in laws * $0.count == count })
    self.problems = problems
    self.alternatives = alternatives
    self.noiseLevel = noiseLevel
    self.residualScale = residualScale
    self.scaledCount = scaledCount
    self.logarithmicCount = logarithmicCount
    self.pictureShape = pictureShape ?? generator.codomain
    self.inverseTemperature = inverseTemperature
  }

  package var latentDimension: Int { generator.domain.count }
  package var dimension: Int {
    latentDimension + (noiseLevel.isInferred ? 1 : 0) + (residualScale == nil ? 0 : 1)
  }
  /// Where ln σ and ln α stand in a position; nil when they are not inferred.
  package var logSigmaIndex: Int? { noiseLevel.isInferred ? latentDimension : nil }
  package var logScaleIndex: Int? { residualScale == nil ? nil : dimension - 1 }
  package var problemCount: Int { noiseLevel.problemCount }

  package func tempered(_ inverseTemperature: Double) -> any LogDensity {
    ImagePosterior(
      generator: generator, flow: flow, instrument: instrument, logVolume: logVolume,
      problems: problems, alternatives: alternatives, noiseLevel: noiseLevel,
      residualScale: residualScale,
      scaledCount: scaledCount, logarithmicCount: logarithmicCount, pictureShape: pictureShape,
      inverseTemperature: inverseTemperature)
  }

  /// σ and α of a position.
  package func levels(of position: some Collection<Double>, problem: Int) -> NoiseLevels {
    func level(_ index: Int) -> Double {
      exp(min(max(position[position.index(position.startIndex, offsetBy: index)], -40), 40))
    }
    let sigma =
      switch noiseLevel {
      case .known(let values): values[problem]
      case .inferred: level(latentDimension)
      }
    return NoiseLevels(sigma: sigma, residualScale: logScaleIndex.map(level) ?? 1)
  }

  /// What the maps take of a position: its latent coordinates, those of painted factors times α.
  package func mapped(
    _ position: some Collection<Double>, levels: NoiseLevels, into row: UnsafeMutablePointer<Float>
  ) {
    let first = latentDimension - scaledCount
    for (k, value) in position.prefix(latentDimension).enumerated() {
      row[k] = Float(k < first ? value : value * levels.residualScale)
    }
  }

  package func makeEvaluator(problems lanes: [Int]) throws -> any LogDensityEvaluator {
    try makeImageEvaluator(problems: lanes)
  }

  func makeImageEvaluator(problems lanes: [Int]) throws -> ImagePosteriorEvaluator {
    ImagePosteriorEvaluator(
      self, lanes: lanes, plan: try meanMap.makePlan(lanes: lanes.count),
      prior: try flow.map { try FlowPriorPlan($0, lanes: lanes.count) })
  }
}

final class ImagePosteriorEvaluator: LogDensityEvaluator {
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

  init(_ posterior: ImagePosterior, lanes: [Int], plan: any MapPlan, prior: FlowPriorPlan?) {
    self.posterior = posterior
    self.lanes = lanes
    self.plan = plan
    self.prior = prior
    likelihood = posterior.makeLikelihood(problems: lanes)
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
  }

  func evaluate(
    _ positions: Span<Double>, values: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
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
    var baseGradientSpan = baseGradients.buffer.mutableSpan
    plan.vjp(meanGradients.buffer.span, into: &baseGradientSpan)
    prior?.evaluate(coordinates)
    for lane in lanes.indices {
      finish(lane, positions, &values, &gradients)
    }
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
