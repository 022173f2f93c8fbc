import Tensors

/// m = m_n ∘ … ∘ m_1; `maps` reads left to right as the data travel: the first acts first.
public struct ComposedMap: DifferentiableMap {
  public let maps: [any DifferentiableMap]
  public let domain: Shape
  public let codomain: Shape

  /// - Throws: `shapesDiffer` when a codomain is not the next domain (compared by element count).
  /// - Precondition: `maps` is not empty.
  public init(_ maps: [any DifferentiableMap]) throws(PlanError) {
    precondition(!maps.isEmpty, "a composition needs at least one map")
    for (first, second) in zip(maps, maps.dropFirst())
    where first.codomain.count != second.domain.count {
      throw .shapesDiffer(expected: second.domain, found: first.codomain)
    }
    self.maps = maps
    domain = maps[0].domain
    codomain = maps[maps.count - 1].codomain
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    var plans: [any MapPlan] = []
    for map in maps { plans.append(try map.makePlan(lanes: lanes)) }
    return ComposedPlan(
      plans: plans, between: maps.dropLast().map { FloatBuffer(lanes * $0.codomain.count) })
  }
}

/// Runs the plans in order for the value and in reverse for the vjp. `between[i]` holds the value
/// after plan i, then its cotangent.
final class ComposedPlan: MapPlan {
  private let plans: [any MapPlan]
  private let between: [FloatBuffer]

  init(plans: [any MapPlan], between: [FloatBuffer]) {
    self.plans = plans
    self.between = between
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    let last = plans.count - 1
    if last == 0 { return plans[0].apply(x, into: &y) }
    var output = between[0].buffer.mutableSpan
    plans[0].apply(x, into: &output)
    for index in 1..<last {
      var output = between[index].buffer.mutableSpan
      plans[index].apply(between[index - 1].buffer.span, into: &output)
    }
    plans[last].apply(between[last - 1].buffer.span, into: &y)
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    let last = plans.count - 1
    if last == 0 { return plans[0].vjp(dy, into: &dx) }
    var output = between[last - 1].buffer.mutableSpan
    plans[last].vjp(dy, into: &output)
    for index in (1..<last).reversed() {
      var output = between[index - 1].buffer.mutableSpan
      plans[index].vjp(between[index].buffer.span, into: &output)
    }
    plans[0].vjp(between[0].buffer.span, into: &dx)
  }
}
