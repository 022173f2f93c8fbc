import Maps
import Noise
import Randomness

// Notation: CorrelatedMeasurement.swift.

/// The products that the law of ε needs of a correlated measurement: A x, C⁻¹r, Σ Aᵀx. Allocates; one
/// owner, one thread at a time.
final class CorrelatedSolver {
  private let measurement: CorrelatedMeasurement
  private let lanes: Int
  private let plan: any MapPlan
  private let noise: any NoisePlan
  private let pixels: Int

  /// - Throws: what the plans throw.
  init(_ measurement: CorrelatedMeasurement, lanes: Int) throws(PlanError) {
    self.measurement = measurement
    self.lanes = lanes
    plan = try measurement.instrument.makePlan(lanes: lanes)
    noise = try measurement.noise.makePlan(lanes: lanes)
    pixels = measurement.measurement.residual.count
  }

  /// A x of up to `lanes` rows of P elements: as many rows of D.
  func images(of rows: [Double]) -> [Double] {
    let count = rows.count / pixels
    var pictures = [Float](repeating: 0, count: lanes * pixels)
    for index in rows.indices { pictures[index] = Float(rows[index]) }
    return Array(images(of: pictures.span).prefix(count * measurement.count))
  }

  /// A x of all lanes.
  func images(of pictures: Span<Float>) -> [Double] {
    var images = [Float](repeating: 0, count: lanes * measurement.count)
    var span = images.mutableSpan
    plan.apply(pictures, into: &span)
    return images.map { Double($0) }
  }

  /// C⁻¹r of up to `lanes` rows of D data.
  func pulls(of rows: [Double]) -> [Double] {
    // Zeros take no iterations.
    let padded = rows + [Double](repeating: 0, count: lanes * measurement.count - rows.count)
    var values = [Double](repeating: 0, count: lanes)
    var gradients = padded
    var valueSpan = values.mutableSpan
    var gradientSpan = gradients.mutableSpan
    noise.evaluate(padded.span, logDensities: &valueSpan, gradients: &gradientSpan)
    return gradients.prefix(rows.count).map { -$0 }
  }

  /// Σ Aᵀx of up to `lanes` rows of D data.
  func explained(by pulls: [Double]) -> [Double] {
    let count = pulls.count / measurement.count
    let padded =
      pulls.map { Float($0) }
      + [Float](repeating: 0, count: lanes * measurement.count - pulls.count)
    var pictures = [Float](repeating: 0, count: lanes * pixels)
    var span = pictures.mutableSpan
    plan.vjp(padded.span, into: &span)
    return measurement.measurement.residual.applied(
      toRowsOf: pictures.prefix(count * pixels).map { Double($0) })
  }

  /// A draw of ε given r = y − A g (D), by Matheron's rule, ε' + ΣAᵀC⁻¹(r − A ε' − n'); and ε' itself.
  func draw(
    residual: [Double], _ stream: inout RandomStream
  ) -> (conditional: [Double], prior: [Double]) {
    let own = measurement.measurement.residual.draw(&stream)
    let noise = measurement.observed(
      measurement.measurement.drawNoise(sigma: measurement.sigma, stream: &stream))
    let seen = images(of: own)
    let gap = residual.indices.map { residual[$0] - seen[$0] - noise[$0] }
    let correction = explained(by: pulls(of: gap))
    return (zip(own, correction).map { $0 + $1 }, own)
  }
}
