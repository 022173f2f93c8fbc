import Maps
import Tensors

/// y = x: every element is observed as it is.
public struct IdentityOperator: LinearOperator {
  public let domain: Shape
  public var codomain: Shape { domain }

  public init(shape: Shape) { domain = shape }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan { IdentityPlan() }
}

final class IdentityPlan: MapPlan {
  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    precondition(x.count == y.count)
    for index in x.indices { y[index] = x[index] }
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) { apply(dy, into: &dx) }
}
