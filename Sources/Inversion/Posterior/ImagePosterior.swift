import Flows
import Foundation
import Likelihoods
import Maps
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
// datum i has the mean (M G(u))_i. Data that are too many for that stay correlated
// (Measurement/CorrelatedMeasurement): then the sum over i is one term, ln N(y − M G(u); 0, C).

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
  /// What is known of the data given their means.
  package let law: DataLaw
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
  package private(set) var inverseTemperature: Double

  /// - Precondition: as many noise levels as problems, at least one; data of the instrument's codomain,
  ///   or of the generator's without one. Where they are correlated, levels that are known.
  package init(
    generator: any DifferentiableMap, flow: (any Bijection)? = nil,
    instrument: (any DifferentiableMap)? = nil, logVolume: Double = 0, problems: [PixelData],
    law: DataLaw = .independent, noiseLevel: NoiseLevel, residualScale: ResidualScale? = nil,
    scaledCount: Int = 0,
    logarithmicCount: Int = 0, pictureShape: Shape? = nil, inverseTemperature: Double = 1
  ) {
    precondition(scaledCount == 0 || logarithmicCount == 0)
    precondition(flow.map { $0.dimension == generator.domain.count } ?? true)
    let laws: Int
    switch law {
    case .independent: laws = 1
    case .alternatives(let alternatives): laws = alternatives.count
    case .correlated:
      precondition(!noiseLevel.isInferred && residualScale == nil)
      precondition(problems.allSatisfy { $0.kinds.allSatisfy { $0 == .measured } })
      laws = 1
    }
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
    self.law = law
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
    self.at(inverseTemperature: inverseTemperature)
  }

  /// The same with another β.
  func at(inverseTemperature: Double) -> ImagePosterior {
    var result = self
    result.inverseTemperature = inverseTemperature
    return result
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

  /// The evaluator by its type, for values without gradients.
  package func makeImageEvaluator(problems lanes: [Int]) throws -> ImagePosteriorEvaluator {
    ImagePosteriorEvaluator(
      self, lanes: lanes, plan: try meanMap.makePlan(lanes: lanes.count),
      likelihood: try makeLikelihood(problems: lanes),
      prior: try flow.map { try FlowPriorPlan($0, lanes: lanes.count) })
  }
}
