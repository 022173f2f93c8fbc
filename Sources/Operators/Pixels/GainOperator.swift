import Maps
import Tensors

/// y_i = g_i x_i: a gain for each element, such as a flat field, vignetting or an exposure map.
public struct GainOperator: LinearOperator {
  public let domain: Shape
  public var codomain: Shape { domain }
  /// g, row-major in the order of the domain.
  public let gains: [Float]

  /// - Throws: `unusable` when the number of gains is not that of the elements, or when one is not
  ///   finite (the index of the first).
  public init(shape: Shape, gains: [Float]) throws(PlanError) {
    guard gains.count == shape.count else {
      throw .unusable(
        "there are \(gains.count) gains for the \(shape.count) elements of \(shape); "
          + "give one for each")
    }
    if let index = gains.firstIndex(where: { !$0.isFinite }) {
      throw .unusable("gain \(index) is \(gains[index]); every gain must be finite")
    }
    domain = shape
    self.gains = gains
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    GainPlan(lanes: lanes, gains: gains)
  }
}

final class GainPlan: MapPlan {
  private let lanes: Int
  private let gains: [Float]

  init(lanes: Int, gains: [Float]) {
    self.lanes = lanes
    self.gains = gains
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    precondition(x.count == lanes * gains.count && y.count == x.count)
    for lane in 0..<lanes {
      let start = lane * gains.count
      for index in gains.indices {
        y[unchecked: start &+ index] = gains[index] * x[unchecked: start &+ index]
      }
    }
  }

  /// A diagonal map is its own adjoint.
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) { apply(dy, into: &dx) }
}
