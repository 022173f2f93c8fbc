/// An unnormalized log density (nats) of a D-dimensional position, for one or several problems of
/// the same structure: lane = (problem, chain).
public protocol LogDensity: Sendable {
  /// D.
  var dimension: Int { get }
  /// How many problems share the structure; a plain density is one problem.
  var problemCount: Int { get }
  /// An evaluator whose lane i works on problem `problems[i]`. All memory is taken here.
  /// - Precondition: every element of `problems` is in 0..<problemCount.
  func makeEvaluator(problems: [Int]) throws -> any LogDensityEvaluator
}

extension LogDensity {
  public var problemCount: Int { 1 }
}

/// Evaluates lanes together; one owner, one thread at a time; never throws, allocates nothing.
///
/// Where a density is not finite its value is −∞ and its gradient zero, never NaN. What a lane
/// returns depends on that lane's position and problem alone, to the last bit, for an evaluator of a
/// given number of lanes.
public protocol LogDensityEvaluator: AnyObject {
  /// `positions`: lanes × D, `values`: lanes, `gradients`: lanes × D, row-major.
  func evaluate(
    _ positions: Span<Double>, values: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>)
}
