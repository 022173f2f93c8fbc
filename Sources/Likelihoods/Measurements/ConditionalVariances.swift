import Maps
import Randomness
import Synchronization

// Notation: CorrelatedMeasurement.swift; b_p = A Σ e_p.
//
//   v_p = Var(ε_p | y, g) = Σ_pp − b_pᵀ C⁻¹ b_p
//
//   by draws of ε ~ N(0, Σ), n ~ N and e = ε − ΣAᵀC⁻¹(A ε + n), whose variance v is:
//   v_p ≈ mean e_p² − β_p (mean ε_p² − Σ_pp),   β_p = (v_p/Σ_pp)²
//   since cov(e_p, ε_p) = v_p, so that cov(e², ε²)/var ε² = (v/Σ)² for Gaussians

/// The variances that data leave of ε, computed when first asked for and kept: they depend neither on
/// the data nor on the mean image.
///
/// Exact, one solution for each element, up to `largestExact` elements. Above, from `drawCount` draws with
/// the known variance of ε as control variate: a standard deviation errs by √((1 − (v/Σ)²)/(2·drawCount)),
/// 2.2 % where the data tell much, less where they tell little.
final class ConditionalVariances: Sendable {
  static let largestExact = 8192
  static let drawCount = 1024
  /// Columns solved at once.
  private static let block = 64

  private let cache = Mutex<[Double]?>(nil)

  init() {}

  /// v, P elements.
  /// - Throws: what the plans throw.
  func values(of measurement: CorrelatedMeasurement) throws(PlanError) -> [Double] {
    try cache.withLock { kept throws(PlanError) in
      if let kept { return kept }
      let isExact = measurement.measurement.residual.count <= Self.largestExact
      let values = isExact ? try Self.exact(measurement) : try Self.drawn(measurement)
      kept = values
      return values
    }
  }

  static func exact(_ measurement: CorrelatedMeasurement) throws(PlanError) -> [Double] {
    let covariance = measurement.measurement.residual
    let (pixels, count) = (covariance.count, measurement.count)
    let solver = try CorrelatedSolver(measurement, lanes: block)
    let prior = covariance.marginalVariances
    var result = [Double](repeating: 0, count: pixels)
    for first in stride(from: 0, to: pixels, by: block) {
      let width = min(block, pixels - first)
      var units = [Double](repeating: 0, count: width * pixels)
      for lane in 0..<width { units[lane * pixels + first + lane] = 1 }
      let columns = solver.images(of: covariance.applied(toRowsOf: units))
      let pulls = solver.pulls(of: columns)
      for lane in 0..<width {
        var explained = 0.0
        for datum in lane * count..<(lane + 1) * count {
          explained += columns[datum] * pulls[datum]
        }
        result[first + lane] = max(0, Double(prior[first + lane]) - explained)
      }
    }
    return result
  }

  static func drawn(_ measurement: CorrelatedMeasurement) throws(PlanError) -> [Double] {
    let covariance = measurement.measurement.residual
    let pixels = covariance.count
    let solver = try CorrelatedSolver(measurement, lanes: 1)
    var stream = measurement.iteration.key.child("variances").stream()
    var (squares, priorSquares) = (
      [Double](repeating: 0, count: pixels), [Double](repeating: 0, count: pixels)
    )
    for _ in 0..<drawCount {
      let (left, whole) = solver.draw(
        residual: [Double](repeating: 0, count: measurement.count), &stream)
      for pixel in 0..<pixels {
        squares[pixel] += left[pixel] * left[pixel] / Double(drawCount)
        priorSquares[pixel] += whole[pixel] * whole[pixel] / Double(drawCount)
      }
    }
    return covariance.marginalVariances.enumerated().map { pixel, prior in
      guard prior > 0 else { return 0 }
      let share = min(1, squares[pixel] / Double(prior))
      return max(0, squares[pixel] - share * share * (priorSquares[pixel] - Double(prior)))
    }
  }
}
