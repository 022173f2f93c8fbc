/// A log density whose data can be let in gradually.
public protocol TemperedLogDensity: LogDensity {
  /// prior + β · likelihood, of the same dimension and problems; β = 1 is the density itself.
  /// - Precondition: 0 ≤ `inverseTemperature` ≤ 1.
  func tempered(_ inverseTemperature: Double) -> any LogDensity
  /// An evaluator of prior and likelihood apart, whose lane i works on problem `problems[i]`. All
  /// memory is taken here.
  /// - Precondition: every element of `problems` is in 0..<problemCount.
  func makeFactorEvaluator(problems: [Int]) throws -> any FactorEvaluator
}

extension TemperedLogDensity {
  /// From the values at β = 0 and β = 1: right for any density, at twice the cost of an evaluator
  /// that shares the work of both.
  public func makeFactorEvaluator(problems: [Int]) throws -> any FactorEvaluator {
    DifferenceEvaluator(
      prior: try tempered(0).makeEvaluator(problems: problems),
      posterior: try tempered(1).makeEvaluator(problems: problems), lanes: problems.count,
      dimension: dimension)
  }
}
