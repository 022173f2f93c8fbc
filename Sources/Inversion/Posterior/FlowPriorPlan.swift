import Flows
import Maps
import Tensors

/// The flow's density as a prior of codes, ln p(z) = −½‖f(z)‖² + ln|det ∂f/∂z| + const: its parts and
/// its gradient for many lanes. One owner, one thread.
final class FlowPriorPlan {
  /// u = f(z) at the latest `apply`, lanes × K.
  let base: FloatBuffer
  /// ln|det ∂f/∂z|, lanes.
  let logDeterminants: FloatBuffer
  /// ∂ ln p/∂z, lanes × K.
  let gradients: FloatBuffer
  private let plan: any NormalizingPlan
  private let cotangents: FloatBuffer
  private let ones: FloatBuffer

  init(_ flow: any Bijection, lanes: Int) throws(PlanError) {
    plan = try flow.makeNormalizingPlan(lanes: lanes)
    base = FloatBuffer(lanes * flow.dimension)
    logDeterminants = FloatBuffer(lanes)
    gradients = FloatBuffer(lanes * flow.dimension)
    cotangents = FloatBuffer(lanes * flow.dimension)
    ones = FloatBuffer([Float](repeating: 1, count: lanes))
  }

  /// Sets `base` and `logDeterminants`. `codes`: lanes × K.
  func apply(_ codes: FloatBuffer) {
    var baseSpan = base.buffer.mutableSpan
    var determinantSpan = logDeterminants.buffer.mutableSpan
    plan.apply(codes.buffer.span, into: &baseSpan, logDeterminants: &determinantSpan)
  }

  /// Sets `gradients` to zero.
  func forgetGradients() { gradients.pointer.update(repeating: 0, count: gradients.count) }

  /// Sets `gradients` at the codes of the latest `apply`.
  func differentiate() {
    for index in 0..<base.count { cotangents.pointer[index] = -base.pointer[index] }
    var gradientSpan = gradients.buffer.mutableSpan
    plan.vjp(cotangents.buffer.span, ones.buffer.span, into: &gradientSpan)
  }
}
