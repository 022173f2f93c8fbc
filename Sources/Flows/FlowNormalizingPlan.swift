import Maps
import Tensors

/// The normalizing direction of a flow with fixed parameters.
final class FlowNormalizingPlan: NormalizingPlan {
  private let stack: FlowStack
  private let parameters: FloatBuffer

  init(stack: FlowStack, parameters: [Float]) {
    self.stack = stack
    self.parameters = FloatBuffer(parameters)
  }

  func apply(
    _ z: Span<Float>, into u: inout MutableSpan<Float>,
    logDeterminants: inout MutableSpan<Float>
  ) {
    stack.apply(z, parameters: parameters.pointer, masks: nil)
    gather(
      stack.base.pointer, lanes: stack.lanes, width: stack.dimension, columns: stack.columns,
      into: &u)
    gather(
      stack.logDeterminants.pointer, lanes: stack.lanes, width: 1, columns: stack.columns,
      into: &logDeterminants)
  }

  func vjp(
    _ du: Span<Float>, _ dLogDeterminants: Span<Float>, into dz: inout MutableSpan<Float>
  ) {
    scatter(
      du, lanes: stack.lanes, width: stack.dimension, columns: stack.columns,
      into: stack.cotangent.pointer)
    scatter(
      dLogDeterminants, lanes: stack.lanes, width: 1, columns: stack.columns,
      into: stack.dLogDeterminants.pointer)
    stack.vjp(parameters: parameters.pointer, gradient: nil)
    gather(
      stack.cotangent.pointer, lanes: stack.lanes, width: stack.dimension,
      columns: stack.columns, into: &dz)
  }
}
