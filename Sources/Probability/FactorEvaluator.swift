/// Evaluates the prior and the likelihood of lanes apart; one owner, one thread at a time; never
/// throws.
///
/// Their sum is the density's value and gradient at β = 1, and prior + β · likelihood at any other.
/// Where a factor is not finite its value is −∞ and its gradient zero, never NaN, and where the prior
/// is not, neither is the likelihood. As with `LogDensityEvaluator`, what a lane returns depends on
/// that lane alone.
public protocol FactorEvaluator: AnyObject {
  /// `positions`: lanes × D, row-major; `factors`: of as many lanes.
  func evaluate(_ positions: Span<Double>, into factors: inout DensityFactors)
}

/// The two factors of the log densities (nats) of some positions, and their gradients.
public struct DensityFactors: Sendable, Equatable {
  /// One a position.
  public var logPriors: [Double]
  public var logLikelihoods: [Double]
  /// Positions × D, row-major.
  public var priorGradients: [Double]
  public var likelihoodGradients: [Double]

  public init(count: Int, dimension: Int) {
    logPriors = [Double](repeating: -.infinity, count: count)
    logLikelihoods = logPriors
    priorGradients = [Double](repeating: 0, count: count * dimension)
    likelihoodGradients = priorGradients
  }
}

/// likelihood = (value at β = 1) − (value at β = 0), and so the gradients.
final class DifferenceEvaluator: FactorEvaluator {
  private let prior: any LogDensityEvaluator
  private let posterior: any LogDensityEvaluator
  private let lanes: Int
  private let dimension: Int

  init(
    prior: any LogDensityEvaluator, posterior: any LogDensityEvaluator, lanes: Int, dimension: Int
  ) {
    self.prior = prior
    self.posterior = posterior
    self.lanes = lanes
    self.dimension = dimension
  }

  func evaluate(_ positions: Span<Double>, into factors: inout DensityFactors) {
    evaluate(prior, positions, &factors.logPriors, &factors.priorGradients)
    evaluate(posterior, positions, &factors.logLikelihoods, &factors.likelihoodGradients)
    for lane in 0..<lanes {
      let row = lane * dimension..<(lane + 1) * dimension
      let hasPrior = factors.logPriors[lane] > -.infinity
      guard hasPrior, factors.logLikelihoods[lane] > -.infinity else {
        factors.logLikelihoods[lane] = -.infinity
        for k in row { factors.likelihoodGradients[k] = 0 }
        continue
      }
      factors.logLikelihoods[lane] -= factors.logPriors[lane]
      for k in row { factors.likelihoodGradients[k] -= factors.priorGradients[k] }
    }
  }

  private func evaluate(
    _ evaluator: any LogDensityEvaluator, _ positions: Span<Double>, _ values: inout [Double],
    _ gradients: inout [Double]
  ) {
    var values = values.mutableSpan
    var gradients = gradients.mutableSpan
    evaluator.evaluate(positions, values: &values, gradients: &gradients)
  }
}
