import Maps
import Tensors

/// A = A_n ⋯ A_1; `operators` reads left to right as the light travels: the first acts first.
public struct ComposedOperator: LinearOperator {
  public let operators: [any LinearOperator]
  private let map: ComposedMap

  public var domain: Shape { map.domain }
  public var codomain: Shape { map.codomain }

  /// - Throws: `shapesDiffer` when a codomain is not the next domain (compared by element count).
  /// - Precondition: `operators` is not empty.
  public init(_ operators: [any LinearOperator]) throws(PlanError) {
    self.operators = operators
    map = try ComposedMap(operators)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    try map.makePlan(lanes: lanes)
  }
}
