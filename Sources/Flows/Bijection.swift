import Maps

/// A smooth invertible map u = f(z) of R^K, K = `dimension`, with its log-determinant; T = f⁻¹.
///
/// Laws (tested by `checkBijection`): T(f(z)) = z and f(T(u)) = u; the log-determinant is that of
/// the dense Jacobian; both vjps agree with differences.
public protocol Bijection: Sendable {
  /// K, the number of coordinates.
  var dimension: Int { get }
  /// The normalizing direction for `lanes` items at once.
  func makeNormalizingPlan(lanes: Int) throws(PlanError) -> any NormalizingPlan
  /// The generating direction z = T(u), from Shape(K) to Shape(K).
  var generator: any DifferentiableMap { get }
}

/// u = f(z) and ln|det ∂u/∂z| on `lanes` items: owns its buffers, allocates nothing, cannot throw.
/// One owner, one thread at a time.
public protocol NormalizingPlan: AnyObject {
  /// `z`, `u`: lanes × K, row-major; `logDeterminants`: lanes, in nats.
  func apply(
    _ z: Span<Float>, into u: inout MutableSpan<Float>,
    logDeterminants: inout MutableSpan<Float>)
  /// dz = (∂u/∂z)ᵀ du + dLogDeterminant·∂ ln|det|/∂z, at the z of the latest `apply`. `du`, `dz`:
  /// lanes × K; `dLogDeterminants`: lanes.
  func vjp(
    _ du: Span<Float>, _ dLogDeterminants: Span<Float>, into dz: inout MutableSpan<Float>)
}
