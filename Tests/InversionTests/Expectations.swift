import Diagnostics
import Foundation
import Maps
import Numerics
import Probability
import Randomness
import Testing

/// Demands an effective size of `floor`, then that the mean of the trace is `expected` within 4
/// standard errors, and that those are small: a fraction of the trace's own spread.
func expectMean(
  _ trace: [[Double]], _ expected: Double, floor: Double = 2000, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(ScalarDiagnostics(trace).bulkESS > floor, comment, sourceLocation: sourceLocation)
  let mean = average(trace)
  let z = (mean - expected) / MonteCarloErrors.ofMean(trace)
  #expect(abs(z) < 4, comment, sourceLocation: sourceLocation)
}

/// The standard deviation of the trace is `expected` within 2 % and within 4 standard errors.
func expectDeviation(
  _ trace: [[Double]], _ expected: Double, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let deviation = average(trace.map { $0.map { $0 * $0 } }) - pow(average(trace), 2)
  let ratio = deviation.squareRoot() / expected
  #expect(abs(ratio - 1) < 0.02, comment, sourceLocation: sourceLocation)
  let z = (deviation.squareRoot() - expected) / MonteCarloErrors.ofStandardDeviation(trace)
  #expect(abs(z) < 4, comment, sourceLocation: sourceLocation)
}

func average(_ trace: [[Double]]) -> Double {
  trace.joined().reduce(0, +) / Double(trace.count * trace[0].count)
}

/// m(x) of rows of x.
func images(of map: any DifferentiableMap, _ rows: [[Double]]) throws -> [[Float]] {
  let input = rows.joined().map { Float($0) }
  var output = [Float](repeating: .nan, count: rows.count * map.codomain.count)
  let plan = try map.makePlan(lanes: rows.count)
  var span = output.mutableSpan
  plan.apply(input.span, into: &span)
  return rows.indices.map {
    Array(output[$0 * map.codomain.count..<($0 + 1) * map.codomain.count])
  }
}

/// Values and gradients of a batch; lane i works on problem `problems[i]`.
func evaluate(
  _ density: any LogDensity, problems: [Int], _ positions: [[Double]]
) throws -> (values: [Double], gradients: [[Double]]) {
  let d = density.dimension
  let flat = positions.flatMap { $0 }
  var values = [Double](repeating: .nan, count: positions.count)
  var gradients = [Double](repeating: .nan, count: flat.count)
  var valueSpan = values.mutableSpan
  var gradientSpan = gradients.mutableSpan
  try density.makeEvaluator(problems: problems).evaluate(
    flat.span, values: &valueSpan, gradients: &gradientSpan)
  return (values, positions.indices.map { Array(gradients[$0 * d..<($0 + 1) * d]) })
}
