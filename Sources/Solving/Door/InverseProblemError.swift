import Maps
import Problems
import Tensors

/// Why a problem at hand cannot be solved: one case for each thing that can be wrong.
public enum InverseProblemError: Error, Equatable, CustomStringConvertible {
  /// The operator takes pictures of another size than the prior's.
  case operatorTakesOthers(expected: Shape, found: Shape)
  /// The data are not what the operator gives.
  case shapeOfData(expected: Shape, found: Shape)
  /// There must be one flag for each datum.
  case observedCount(expected: Int, found: Int)
  /// No datum is observed.
  case nothingObserved
  /// An observed datum is not finite.
  case notFinite(index: Int)
  /// A level must be positive, or 0 with deviations.
  case noiseLevel(Double)
  case shapeOfDeviations(expected: Shape, found: Shape)
  /// A standard deviation must be positive and finite.
  case deviation(index: Int, value: Float)
  /// A spectrum or channel covariance that does not go with the data.
  case noiseShape(PlanError)
  /// The lower end of the range must lie below the upper, with steps of rounding that fit in between.
  case range(ClosedRange<Float>, roundingStep: Double)
  /// An instrument that is not linear takes white noise and no residual of the prior's.
  case nonlinearOperator
  /// Draws, chains or pictures that are none, or more than can be kept.
  case counts(chains: Int, draws: Int, warmup: Int, pictures: Int)

  public var description: String {
    switch self {
    case .operatorTakesOthers(let expected, let found):
      "the operator takes pictures of \(found), but the prior makes pictures of \(expected)"
    case .shapeOfData(let expected, let found):
      "the data are \(found), but the operator gives \(expected)"
    case .observedCount(let expected, let found):
      "there are \(found) flags of what is observed for \(expected) data"
    case .nothingObserved: "no datum is observed: nothing could be learned"
    case .notFinite(let index):
      "datum \(index) is not finite; mark it as not observed, or mend it"
    case .noiseLevel(let value):
      "the noise level \(value) is not a positive number (0 takes deviations besides)"
    case .shapeOfDeviations(let expected, let found):
      "the deviations are \(found), but the data are \(expected)"
    case .deviation(let index, let value):
      "the standard deviation of datum \(index) is \(value); it must be positive and finite"
    case .noiseShape(let error): "the noise's shape: \(error)"
    case .range(let range, let step):
      "the range \(range.lowerBound) to \(range.upperBound) with steps of \(step) holds no values"
    case .nonlinearOperator:
      "an operator that is not linear takes white noise and residual .none, or a prior that has no "
        + "residual"
    case .counts(let chains, let draws, let warmup, let pictures):
      "\(chains) chains with \(warmup) + \(draws) iterations and \(pictures) pictures: chains are 1 to "
        + "1024, draws 1 to 1,000,000 and 20 million in all, pictures no more than draws"
    }
  }
}
