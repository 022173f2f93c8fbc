import Probability

extension ImagePosterior {
  /// One pass through the maps for both factors.
  package func makeFactorEvaluator(problems: [Int]) throws -> any FactorEvaluator {
    let prior = at(inverseTemperature: 0)
    return ImageFactorEvaluator(
      prior: try prior.makeImageEvaluator(problems: problems), lanes: problems.count,
      dimension: dimension)
  }
}

/// The evaluator at β = 0 computes the likelihood on its way to the prior, and leaves it.
private final class ImageFactorEvaluator: FactorEvaluator {
  private let prior: ImagePosteriorEvaluator
  private let lanes: Int
  private let dimension: Int

  init(prior: ImagePosteriorEvaluator, lanes: Int, dimension: Int) {
    self.prior = prior
    self.lanes = lanes
    self.dimension = dimension
  }

  func evaluate(_ positions: Span<Double>, into factors: inout DensityFactors) {
    evaluatePrior(positions, &factors.logPriors, &factors.priorGradients)
    for lane in 0..<lanes {
      let value = prior.logLikelihood(lane, gradients: &factors.likelihoodGradients)
      // A likelihood that is not finite has taken the prior's value with it.
      let isFinite = factors.logPriors[lane] > -.infinity && value.isFinite
      factors.logLikelihoods[lane] = isFinite ? value : -.infinity
      if !isFinite {
        for k in 0..<dimension { factors.likelihoodGradients[lane * dimension + k] = 0 }
      }
    }
  }

  private func evaluatePrior(
    _ positions: Span<Double>, _ values: inout [Double], _ gradients: inout [Double]
  ) {
    var values = values.mutableSpan
    var gradients = gradients.mutableSpan
    prior.evaluate(positions, values: &values, gradients: &gradients)
  }
}
