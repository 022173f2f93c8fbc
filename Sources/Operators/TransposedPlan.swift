import Maps

/// The plan of Aᵀ from one of A, which must be linear.
final class TransposedPlan: MapPlan {
  private let plan: any MapPlan

  init(_ plan: any MapPlan) { self.plan = plan }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) { plan.vjp(x, into: &y) }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) { plan.apply(dy, into: &dx) }
}
