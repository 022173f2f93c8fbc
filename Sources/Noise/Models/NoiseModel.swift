import Maps
import Randomness

/// A Gaussian law of the noise, n ~ N(0, N), of D data: what `DiagonalNoise` (independent),
/// `StationaryNoise` (a power spectrum on the whole periodic grid), `MaskedStationaryNoise` (one seen
/// in part), `SumNoise` and `DenseNoise` (any covariance) have in common. A description; `makePlan` takes all memory and does everything that can fail.
///
/// Law (tested for every conformer): the log density integrates to one, its gradient is that of
/// differences, whitened draws have covariance I, and ‖whitened r‖² = rᵀN⁻¹r.
public protocol NoiseModel: Sendable {
  /// D.
  var dimension: Int { get }
  /// A plan for `lanes` residuals at once.
  func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan
}

/// The execution of a noise model; owns its buffers, allocates nothing, cannot throw. One owner, one
/// thread at a time. Everything is in double precision: intensities and nats.
///
/// What differs between lanes are the data, and they enter through the residual y − m.
public protocol NoisePlan: AnyObject {
  /// ln N(r; 0, N) with all constants, and its gradient −N⁻¹r.
  /// `residuals`: lanes × D, `logDensities`: lanes, `gradients`: lanes × D, row-major.
  func evaluate(
    _ residuals: Span<Double>, logDensities: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>)
  /// w = W r with WᵀW = N⁻¹: white noise of unit variance when r is noise of this law.
  /// `residuals`, `white`: lanes × D.
  func whiten(_ residuals: Span<Double>, into white: inout MutableSpan<Double>)
  /// n = W⁻¹ w: noise of this law when w is white. `white`, `residuals`: lanes × D.
  func color(_ white: Span<Double>, into residuals: inout MutableSpan<Double>)
  /// One exact draw for each lane. `residuals`: lanes × D; may allocate.
  func draw(_ stream: inout RandomStream, into residuals: inout MutableSpan<Double>)
}

extension NoisePlan {
  /// White noise, colored; allocates as much as there are residuals.
  public func draw(_ stream: inout RandomStream, into residuals: inout MutableSpan<Double>) {
    let white = stream.normals(residuals.count)
    color(white.span, into: &residuals)
  }
}
