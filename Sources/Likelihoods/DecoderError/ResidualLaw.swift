import Maps
import Randomness

/// The law of the residual ε of a picture given its mean image m and the data y: what `PosteriorPictures`
/// needs of it. Conformers: `ResidualConditional` (independent elements, censored or not),
/// `LinearResidualConditional` (any linear instrument, any covariance), `MixedResidualConditional` (the
/// same under one of several laws of the noise), `CorrelatedResidualConditional` (any number of data).
package protocol ResidualLaw: Sendable {
  /// Length of what a plan accumulates for the variances.
  var accumulatorCount: Int { get }
  /// Var(ε | y, m) averaged over mean images, P elements, from the mean of what was accumulated.
  /// - Throws: what a plan made for it throws.
  func variances(averaged accumulator: [Double]) throws(PlanError) -> [Double]
  func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan
}

/// The execution of a residual law on up to `lanes` mean images; owns its buffers. One owner, one thread.
package protocol ResidualLawPlan: AnyObject {
  /// E(ε | y, m) of the first `count` lanes, and adds for each of them what variances take to
  /// `accumulator`. `means`: lanes × P; `images`: lanes × P, or
  /// as wide as the posterior's generator gives them; `levels`: lanes.
  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double])
  /// One exact draw of ε for the first lane.
  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float])
}
