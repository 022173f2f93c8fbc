import Maps
import Randomness
import Tensors

/// The law of an autoencoder's codes z ∈ R^K: ln p(z), its gradient and draws. A flow is one, which has base
/// variables u besides; a mixture of Gaussians another, which has its posteriors in closed form instead.
///
/// Laws (tested by `checkCodeDensity`): the gradient is that of differences; draws have the density's score
/// zero on average.
public protocol CodeDensity: Sendable {
  /// K.
  var dimension: Int { get }
  /// ln p(z) in nats of each of n codes, and its gradients. `codes`: n×K, row-major; so the gradients.
  func scores(of codes: [Float]) throws(PlanError) -> (logDensities: [Double], gradients: [Float])
  /// `count` independent draws, count × K, row-major.
  func draws(_ count: Int, key: RandomKey) throws(PlanError) -> [Float]
}

extension NormalizingFlow: CodeDensity {
  /// ln N(f(z); 0, I) + ln|det ∂f/∂z|; its gradient by the normalizing plan's vjp of (−u, 1).
  public func scores(
    of codes: [Float]
  ) throws(PlanError) -> (logDensities: [Double], gradients: [Float]) {
    let logDensities = try logDensity(of: codes)
    let count = codes.count / dimension
    guard count > 0 else { return ([], []) }
    let plan = try makeNormalizingPlan(lanes: count)
    let (input, base) = (FloatBuffer(codes), FloatBuffer(codes.count))
    let (determinants, gradients) = (FloatBuffer(count), FloatBuffer(codes.count))
    var u = base.buffer.mutableSpan
    var logs = determinants.buffer.mutableSpan
    plan.apply(input.buffer.span, into: &u, logDeterminants: &logs)
    for index in 0..<codes.count { base.pointer[index] = -base.pointer[index] }
    determinants.pointer.update(repeating: 1, count: count)
    var output = gradients.buffer.mutableSpan
    plan.vjp(base.buffer.span, determinants.buffer.span, into: &output)
    return (logDensities, gradients.array)
  }

  /// T of standard normal numbers.
  public func draws(_ count: Int, key: RandomKey) throws(PlanError) -> [Float] {
    guard count > 0 else { return [] }
    let plan = try generator.makePlan(lanes: count)
    var stream = key.stream()
    let base = FloatBuffer(stream.normals(count * dimension).map { Float($0) })
    let output = FloatBuffer(count * dimension)
    var span = output.buffer.mutableSpan
    plan.apply(base.buffer.span, into: &span)
    return output.array
  }
}
