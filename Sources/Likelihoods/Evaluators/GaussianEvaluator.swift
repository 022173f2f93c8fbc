import Maps
import Noise
import Numerics

// Notation
//   y   data of a problem, D      m   their means      r = y − m
//   C   covariance of y given m: noise at its level, and what the decoder cannot paint
//
//   ln p(y | m) = −½ rᵀC⁻¹r − ½ ln det C − ½D ln 2π        ∂/∂m = C⁻¹r

/// The likelihood of correlated Gaussian data whose covariance is known. Both levels are part of C, so
/// `levels` are not looked at and the slopes in them are zero. One owner, one thread at a time.
///
/// Costs one evaluation of the noise model's plan for each lane.
package final class GaussianEvaluator: LikelihoodEvaluator {
  /// y of each problem, D.
  private let data: [[Float]]
  private let lanes: [Int]
  private let plan: any NoisePlan
  private let dimension: Int
  /// r and −C⁻¹r, lanes × D.
  private let residuals: Scratch
  private let pulls: Scratch

  /// - Parameters:
  ///   - data: y of each problem.
  ///   - lanes: the problem of each lane.
  ///   - noise: C.
  /// - Throws: what the noise model's plan throws.
  /// - Precondition: data of the noise's dimension.
  package init(data: [[Float]], lanes: [Int], noise: any NoiseModel) throws(PlanError) {
    precondition(data.allSatisfy { $0.count == noise.dimension })
    self.data = data
    self.lanes = lanes
    plan = try noise.makePlan(lanes: lanes.count)
    dimension = noise.dimension
    residuals = Scratch(lanes.count * dimension)
    pulls = Scratch(lanes.count * dimension)
  }

  package func evaluate(
    means: Span<Float>, levels: Span<NoiseLevels>, logDensities: inout MutableSpan<Double>,
    meanGradients: inout MutableSpan<Float>, logSigmaGradients: inout MutableSpan<Double>,
    logScaleGradients: inout MutableSpan<Double>
  ) {
    let count = lanes.count * dimension
    precondition(means.count == count && meanGradients.count == count)
    for (lane, problem) in lanes.enumerated() {
      for datum in 0..<dimension {
        let index = lane * dimension + datum
        residuals.pointer[index] = Double(data[problem][datum]) - Double(means[index])
      }
    }
    var pullSpan = pulls.buffer.mutableSpan
    plan.evaluate(residuals.buffer.span, logDensities: &logDensities, gradients: &pullSpan)
    for lane in lanes.indices {
      if !logDensities[lane].isFinite { logDensities[lane] = -.infinity }
      let isFinite = logDensities[lane].isFinite
      for index in lane * dimension..<(lane + 1) * dimension {
        meanGradients[index] = isFinite ? Float(-pulls.pointer[index]) : 0
      }
      logSigmaGradients[lane] = 0
      logScaleGradients[lane] = 0
    }
  }
}
