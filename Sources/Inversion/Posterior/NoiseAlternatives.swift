import Likelihoods
import Maps
import Probability
import Tensors

/// Laws of the noise, one of which holds, summed out of the likelihood: p(y | m) = Σ_j w_j p_j(y | m).
package struct NoiseAlternatives: Sendable, Equatable {
  /// ln w_j with ln|det| of what turned law j's data, J numbers.
  package let logWeights: [Double]
  /// J.
  package var count: Int { logWeights.count }

  /// - Precondition: one law at least.
  package init(logWeights: [Double]) {
    precondition(!logWeights.isEmpty)
    self.logWeights = logWeights
  }
}

extension ImagePosterior {
  /// J, 1 where the noise has one law.
  package var alternativeCount: Int { alternatives?.count ?? 1 }

  /// Laws of the noise that are summed out; nil where there is one.
  package var alternatives: NoiseAlternatives? {
    if case .alternatives(let alternatives) = law { alternatives } else { nil }
  }

  /// A problem's data under each law.
  package func data(of problem: Int) -> [PixelData] {
    Array(problems[problem * alternativeCount..<(problem + 1) * alternativeCount])
  }

  /// p_j of the laws given the means of the data, J·D.
  package func responsibilities(mean: [Float], _ levels: NoiseLevels, problem: Int) -> [Double] {
    guard let alternatives else { return [1] }
    let evaluator = NoiseMixtureEvaluator(
      problems: data(of: problem), logWeights: alternatives.logWeights, lanes: [0])
    evaluator.evaluate(means: mean, levels: [levels])
    return evaluator.responsibilities
  }

  /// ln w_j + ln p_j(y | m) of each draw, draws of a chain in turn; J numbers each.
  /// - Precondition: the noise has alternatives.
  package func alternativeTerms(of draws: DrawSet, problem: Int) throws(PlanError) -> [[Double]] {
    guard let alternatives else { preconditionFailure("the noise has one law") }
    let (total, width, latent) = (draws.chains * draws.draws, 32, latentDimension)
    let lanes = min(total, width)
    let plan = try meanMap.makePlan(lanes: lanes)
    let evaluator = NoiseMixtureEvaluator(
      problems: data(of: problem), logWeights: alternatives.logWeights,
      lanes: [Int](repeating: 0, count: lanes))
    var rows = [Float](repeating: 0, count: lanes * latent)
    var means = [Float](repeating: 0, count: lanes * meanMap.codomain.count)
    var result: [[Double]] = []
    for first in stride(from: 0, to: total, by: lanes) {
      var levels: [NoiseLevels] = []
      rows.withUnsafeMutableBufferPointer { rows in
        for lane in 0..<lanes {
          let index = min(first + lane, total - 1)
          let position = draws.position(chain: index / draws.draws, draw: index % draws.draws)
          levels.append(self.levels(of: position, problem: problem))
          mapped(position, levels: levels[lane], into: rows.baseAddress! + lane * latent)
        }
      }
      var meanSpan = means.mutableSpan
      plan.apply(rows.span, into: &meanSpan)
      evaluator.evaluate(means: means, levels: levels)
      for lane in 0..<min(lanes, total - first) {
        let count = alternatives.count
        result.append(Array(evaluator.logTerms[lane * count..<(lane + 1) * count]))
      }
    }
    return result
  }
}

extension NoiseMixtureEvaluator {
  /// For the terms and responsibilities alone; allocates.
  func evaluate(means: [Float], levels: [NoiseLevels]) {
    var values = [Double](repeating: 0, count: lanes)
    var (sigmas, scales) = (values, values)
    var gradients = [Float](repeating: 0, count: means.count)
    var valueSpan = values.mutableSpan
    var sigmaSpan = sigmas.mutableSpan
    var scaleSpan = scales.mutableSpan
    var gradientSpan = gradients.mutableSpan
    evaluate(
      means: means.span, levels: levels.span, logDensities: &valueSpan,
      meanGradients: &gradientSpan, logSigmaGradients: &sigmaSpan, logScaleGradients: &scaleSpan)
  }
}
