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
//
//   ln p(u, y) = −½‖u‖² − ½K ln 2π + β Σ_i L_i(G(u)_i, σ)      (+ the prior of ln σ when inferred)
//   ln p(z, y) = ln p(u, y) at u = f(z), + ln|det ∂f/∂z|
//
// Both are the same posterior of x. A flow that separates clusters of codes stretches the space between
// them: in u the posterior has curvatures hundreds of times that of its own covariance there, in z
// it is nearly as round as the decoder allows, so chains run in z by default.
//
// L_i is the censored Gaussian term of datum i (Measurement/CensoredEvaluator), its variance
// σ² + r_i with r_i the decoder's residual variance, rounding, and the square of a sigma map. With an
// instrument M (Measurement/DiagonalizedMeasurement) data are turned so that they are independent, and
// datum i has the mean (M G(u))_i.

/// The log density of base variables or codes (and ln σ, when it is inferred) given data, for several
/// problems that share the prior: position = (u_1 … u_K [, ln σ]), or z for u; nats, all constants.
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
  package let problems: [PixelData]
  package let noiseLevel: NoiseLevel
  /// β.
  package let inverseTemperature: Double

  /// - Precondition: as many noise levels as problems, at least one; data of the instrument's codomain,
  ///   or of the generator's without one.
  package init(
    generator: any DifferentiableMap, flow: (any Bijection)? = nil,
    instrument: (any DifferentiableMap)? = nil, logVolume: Double = 0, problems: [PixelData],
    noiseLevel: NoiseLevel, inverseTemperature: Double = 1
  ) {
    precondition(flow.map { $0.dimension == generator.domain.count } ?? true)
    precondition(!problems.isEmpty && noiseLevel.problemCount == problems.count)
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
    precondition(problems.allSatisfy { [count = meanMap.codomain.count] in $0.count == count })
    self.problems = problems
    self.noiseLevel = noiseLevel
    self.inverseTemperature = inverseTemperature
  }

  package var latentDimension: Int { generator.domain.count }
  package var dimension: Int { latentDimension + (noiseLevel.isInferred ? 1 : 0) }
  package var problemCount: Int { problems.count }

  package func tempered(_ inverseTemperature: Double) -> any LogDensity {
    ImagePosterior(
      generator: generator, flow: flow, instrument: instrument, logVolume: logVolume,
      problems: problems, noiseLevel: noiseLevel, inverseTemperature: inverseTemperature)
  }

  /// σ of a position.
  package func sigma(of position: some Collection<Double>, problem: Int) -> Double {
    switch noiseLevel {
    case .known(let values): values[problem]
    case .inferred: exp(position[position.index(position.startIndex, offsetBy: latentDimension)])
    }
  }

  package func makeEvaluator(problems lanes: [Int]) throws -> any LogDensityEvaluator {
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
  private let likelihood: CensoredEvaluator
  private let base: FloatBuffer
  private let baseGradients: FloatBuffer
  private let means: FloatBuffer
  private let meanGradients: FloatBuffer
  private var sigmas: [Double]
  private var likelihoods: [Double]
  private var logSigmaGradients: [Double]

  init(_ posterior: ImagePosterior, lanes: [Int], plan: any MapPlan, prior: FlowPriorPlan?) {
    self.posterior = posterior
    self.lanes = lanes
    self.plan = plan
    self.prior = prior
    let used = Array(Set(lanes)).sorted()
    likelihood = CensoredEvaluator(
      problems: used.map { posterior.problems[$0] },
      lanes: lanes.map { problem in used.firstIndex(of: problem)! })
    base = FloatBuffer(lanes.count * posterior.latentDimension)
    baseGradients = FloatBuffer(lanes.count * posterior.latentDimension)
    means = FloatBuffer(lanes.count * posterior.meanMap.codomain.count)
    meanGradients = FloatBuffer(means.count)
    sigmas = [Double](repeating: 1, count: lanes.count)
    likelihoods = sigmas
    logSigmaGradients = sigmas
  }

  func evaluate(
    _ positions: Span<Double>, values: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    let (latent, dimension) = (posterior.latentDimension, posterior.dimension)
    for lane in lanes.indices {
      for k in 0..<latent {
        base.pointer[lane * latent + k] = Float(positions[lane * dimension + k])
      }
      switch posterior.noiseLevel {
      case .known(let known): sigmas[lane] = known[lanes[lane]]
      case .inferred: sigmas[lane] = exp(min(max(positions[lane * dimension + latent], -40), 40))
      }
    }
    var meanSpan = means.buffer.mutableSpan
    plan.apply(base.buffer.span, into: &meanSpan)
    var densitySpan = likelihoods.mutableSpan
    var meanGradientSpan = meanGradients.buffer.mutableSpan
    var sigmaSpan = logSigmaGradients.mutableSpan
    likelihood.evaluate(
      means: means.buffer.span, sigmas: sigmas.span, logDensities: &densitySpan,
      meanGradients: &meanGradientSpan, logSigmaGradients: &sigmaSpan)
    var baseGradientSpan = baseGradients.buffer.mutableSpan
    plan.vjp(meanGradients.buffer.span, into: &baseGradientSpan)
    prior?.evaluate(base)
    for lane in lanes.indices {
      finish(lane, positions, &values, &gradients)
    }
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
    for k in 0..<latent {
      let likelihoodGradient = beta * Double(baseGradients.pointer[lane * latent + k])
      let gradient: Double
      if let prior {
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
    guard isFinite, value.isFinite else {
      values[lane] = -.infinity
      for k in 0..<dimension { gradients[lane * dimension + k] = 0 }
      return
    }
    values[lane] = value
  }
}
