import Maps
import Numerics
import Randomness
import Tensors

/// The mean negative log-likelihood of a batch of codes under a flow whose parameters change every
/// step, −(1/lanes) Σ [ln N(u; 0, I) + ln|det ∂u/∂z|] in nats an item, with its gradient. Owns its
/// buffers, allocates nothing in a step; one owner, one thread. The same inputs give the same bytes.
package final class FlowTrainingPlan {
  /// Names and places in the flat parameter vector and in the gradient.
  package let layout: ParameterLayout
  private let stack: FlowStack
  private let dropout: Float

  /// - Parameter dropout: rate at which hidden units of the conditioners are dropped, in [0, 1).
  package init(_ flow: NormalizingFlow, lanes: Int, dropout: Float) throws(PlanError) {
    precondition(0 <= dropout && dropout < 1, "a dropout rate lies in [0, 1)")
    layout = flow.layout
    stack = try FlowStack(flow.plan, lanes: lanes)
    self.dropout = dropout
  }

  /// The mean negative log-likelihood of `codes` (lanes × K); adds its gradient to `gradient`. The
  /// statistics of `affine` layers and the unused triangles of `luLinear` get nothing added.
  ///
  /// - Parameters:
  ///   - parameters, gradient: flat vectors of `layout.count` numbers, owned by the caller.
  ///   - key: sets the dropout masks of this step; not used at rate 0.
  package func step(
    parameters: UnsafePointer<Float>, codes: Span<Float>, key: RandomKey,
    gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    let masks = dropout > 0 ? DropoutMasks(key: key, rate: dropout) : nil
    stack.apply(codes, parameters: parameters, masks: masks)
    var squares = 0.0
    var logDeterminants = 0.0
    let share = 1 / Float(stack.lanes)
    for feature in 0..<stack.dimension {
      let u = stack.base.pointer + feature * stack.columns
      let du = stack.cotangent.pointer + feature * stack.columns
      for lane in 0..<stack.lanes {
        squares += Double(u[lane]) * Double(u[lane])
        du[lane] = u[lane] * share
      }
      for lane in stack.lanes..<stack.columns { du[lane] = 0 }
    }
    for lane in 0..<stack.lanes {
      logDeterminants += Double(stack.logDeterminants.pointer[lane])
      stack.dLogDeterminants.pointer[lane] = -share
    }
    stack.vjp(parameters: parameters, gradient: gradient)
    return halfLogTwoPi * Double(stack.dimension)
      + (0.5 * squares - logDeterminants) / Double(stack.lanes)
  }

  /// ∂(mean negative log-likelihood)/∂z of the latest `step`, lanes × K: what a flow trained
  /// together with an encoder hands back to it.
  package func codeCotangents(into dz: inout MutableSpan<Float>) {
    gather(
      stack.cotangent.pointer, lanes: stack.lanes, width: stack.dimension,
      columns: stack.columns, into: &dz)
  }
}
