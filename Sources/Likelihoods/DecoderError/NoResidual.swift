import Maps
import Randomness

/// ε = 0, whatever the data: for instruments whose residual was left out.
package struct NoResidual: ResidualLaw {
  let count: Int

  /// - Parameter count: P.
  package init(count: Int) { self.count = count }

  package var accumulatorCount: Int { 0 }
  package func variances(averaged accumulator: [Double]) -> [Double] {
    [Double](repeating: 0, count: count)
  }
  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan { NoResidualPlan() }
}

final class NoResidualPlan: ResidualLawPlan {
  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    means.update(repeating: 0)
  }

  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float]
  ) {
    for index in residuals.indices { residuals[index] = 0 }
  }
}
