import Maps
import Tensors

/// y = the observed elements of x, in their row-major order; what is missing is left out.
public struct MaskOperator: LinearOperator {
  public let domain: Shape
  /// A vector of as many elements as are observed.
  public let codomain: Shape
  /// Row-major index in the domain of each observed element, ascending.
  package let observedIndices: [Int32]

  /// - Precondition: one flag for each element of `shape`; fewer than 2³¹ elements.
  public init(shape: Shape, observed: [Bool]) {
    precondition(observed.count == shape.count, "one flag for each element of \(shape)")
    precondition(shape.count <= Int(Int32.max))
    domain = shape
    observedIndices = observed.indices.filter { observed[$0] }.map { Int32($0) }
    codomain = Shape(observedIndices.count)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    MaskPlan(lanes: lanes, domainCount: domain.count, indices: observedIndices)
  }
}

final class MaskPlan: MapPlan {
  private let lanes: Int
  private let domainCount: Int
  private let indices: [Int32]

  init(lanes: Int, domainCount: Int, indices: [Int32]) {
    self.lanes = lanes
    self.domainCount = domainCount
    self.indices = indices
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    precondition(x.count == lanes * domainCount && y.count == lanes * indices.count)
    var output = 0
    for lane in 0..<lanes {
      for index in indices {
        y[output] = x[lane * domainCount + Int(index)]
        output += 1
      }
    }
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    precondition(dx.count == lanes * domainCount && dy.count == lanes * indices.count)
    dx.update(repeating: 0)
    var input = 0
    for lane in 0..<lanes {
      for index in indices {
        dx[lane * domainCount + Int(index)] = dy[input]
        input += 1
      }
    }
  }
}
