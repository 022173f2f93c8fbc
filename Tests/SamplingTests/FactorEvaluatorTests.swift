import Probability
import Randomness
import Testing

@Suite struct FactorEvaluatorTests {
  /// −½ x² in the prior, impossible above 10; 3 x in the likelihood, impossible (or NaN) below −10.
  private func target(_ impossible: Double) -> TemperedTarget {
    TemperedTarget(
      prior: FunctionTarget(dimension: 2) { _, x, gradient in
        for k in 0..<2 { gradient[k] = x[0] > 10 ? 0 : -x[k] }
        return x[0] > 10 ? -.infinity : -0.5 * (x[0] * x[0] + x[1] * x[1])
      },
      likelihood: FunctionTarget(dimension: 2) { _, x, gradient in
        gradient[0] = 3
        gradient[1] = 0
        return x[0] < -10 ? impossible : 3 * x[0]
      })
  }

  // Fails when: the likelihood is the posterior; an impossible factor leaves a gradient or a NaN.
  @Test("prior and likelihood come apart", arguments: [-Double.infinity, Double.nan])
  func factors(_ impossible: Double) throws {
    let evaluator = try target(impossible).makeFactorEvaluator(problems: [0, 0, 0])
    var factors = DensityFactors(count: 3, dimension: 2)
    let positions: [Double] = [1, 2, 11, 0, -11, 1]
    evaluator.evaluate(positions.span, into: &factors)
    #expect(factors.logPriors == [-2.5, -.infinity, -61])
    #expect(factors.logLikelihoods == [3, -.infinity, -.infinity])
    #expect(factors.priorGradients == [-1, -2, 0, 0, 11, -1])
    #expect(factors.likelihoodGradients == [3, 0, 0, 0, 0, 0])
  }
}
