import Foundation
import Probability
import Randomness

/// What `checkLogDensity` measured.
public struct LogDensityReport: Sendable {
  /// |⟨∇, v⟩ − extrapolated central difference| / (‖∇‖ ‖v‖) for a random v.
  public var gradientError: Double
  /// log₂ of the ratio of the difference's errors at steps h and h/2: 2 when the gradient is right and
  /// the step is above rounding; NaN when both errors are at the rounding floor, as for a quadratic.
  public var slope: Double
  /// A position gives the same bits in the first lane, in the last, and among lanes that are far away.
  public var lanesAgree: Bool
}

/// Checks the laws of `LogDensity` at `position` for one of its problems: the gradient against central
/// differences along a random direction at steps ±h and ±h/2 (h = `step`, in units of the position),
/// and that what a lane returns does not depend on its neighbours.
public func checkLogDensity(
  _ density: any LogDensity, problem: Int = 0, at position: [Double], step: Double, key: RandomKey
) throws -> LogDensityReport {
  let d = density.dimension
  precondition(position.count == d && step > 0)
  var stream = key.child("direction").stream()
  let direction = stream.normals(d)
  func moved(_ t: Double) -> [Double] { zip(position, direction).map { $0 + t * $1 } }
  let offsets = [step, -step, step / 2, -step / 2]
  let batch = [position] + offsets.map(moved) + [position]
  let together = try evaluate(density, problem, batch)
  // As many lanes: the last bits of a matrix product depend on its number of rows.
  let far = offsets.map { moved(10 * $0 + 0.3) }
  let apart = try evaluate(density, problem, far + [position] + far.prefix(1))
  let gradient = Array(together.gradients[0..<d])
  let slope = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
  let coarse = (together.values[1] - together.values[2]) / (2 * step)
  let fine = (together.values[3] - together.values[4]) / step
  func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  let scale = max(norm(gradient) * norm(direction), .leastNormalMagnitude)
  let floor = 1e-15 * max(1, abs(together.values[0])) / step
  let errors = (coarse: abs(coarse - slope), fine: abs(fine - slope))
  return LogDensityReport(
    gradientError: abs((4 * fine - coarse) / 3 - slope) / scale,
    slope: max(errors.coarse, errors.fine) < 10 * floor ? .nan : log2(errors.coarse / errors.fine),
    lanesAgree: together.values[5] == together.values[0] && apart.values[4] == together.values[0]
      && Array(together.gradients[(5 * d)...]) == gradient
      && Array(apart.gradients[(4 * d)..<(5 * d)]) == gradient)
}

private func evaluate(_ density: any LogDensity, _ problem: Int, _ positions: [[Double]]) throws
  -> (values: [Double], gradients: [Double])
{
  let evaluator = try density.makeEvaluator(problems: positions.map { _ in problem })
  let flat = positions.flatMap { $0 }
  var values = [Double](repeating: .nan, count: positions.count)
  var gradients = [Double](repeating: .nan, count: flat.count)
  var valueSpan = values.mutableSpan
  var gradientSpan = gradients.mutableSpan
  evaluator.evaluate(flat.span, values: &valueSpan, gradients: &gradientSpan)
  return (values, gradients)
}
