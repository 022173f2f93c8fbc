import Maps
import Randomness

// Notation: CorrelatedMeasurement.swift; r = y − A g.
//
//   E(ε | y, g) = ΣAᵀC⁻¹r        Var(ε | y, g): ConditionalVariances.swift
//   a draw: CorrelatedSolver.swift

/// What the decoder cannot paint, given the mean image and correlated data of a known covariance:
/// Gaussian, its mean exact to the tolerance of the solver, its draws exact by Matheron's rule (Journel
/// and Huijbregts, Mining Geostatistics, 1978).
package struct CorrelatedResidualConditional: ResidualLaw {
  let measurement: CorrelatedMeasurement
  /// y, D.
  let data: [Float]

  /// - Parameter data: the observed data of one picture.
  /// - Precondition: D data.
  package init(_ measurement: CorrelatedMeasurement, data: [Float]) {
    precondition(data.count == measurement.count)
    self.measurement = measurement
    self.data = data
  }

  /// The variances are the same whatever is painted.
  package var accumulatorCount: Int { 0 }

  package func variances(averaged accumulator: [Double]) throws(PlanError) -> [Double] {
    try measurement.residualVariances.values(of: measurement)
  }

  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan {
    CorrelatedResidualPlan(self, solver: try CorrelatedSolver(measurement, lanes: lanes))
  }
}

final class CorrelatedResidualPlan: ResidualLawPlan {
  private let law: CorrelatedResidualConditional
  private let solver: CorrelatedSolver

  init(_ law: CorrelatedResidualConditional, solver: CorrelatedSolver) {
    self.law = law
    self.solver = solver
  }

  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let residuals = solver.explained(by: solver.pulls(of: gaps(images, count: count)))
    for index in residuals.indices { means[index] = Float(residuals[index]) }
  }

  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float]
  ) {
    let draw = solver.draw(residual: gaps(images, count: 1), &stream).conditional
    for index in residuals.indices { residuals[index] = Float(draw[index]) }
  }

  /// y − A g of the first `count` lanes.
  private func gaps(_ images: Span<Float>, count: Int) -> [Double] {
    let seen = solver.images(of: images)
    return (0..<count * law.data.count).map {
      Double(law.data[$0 % law.data.count]) - seen[$0]
    }
  }
}
