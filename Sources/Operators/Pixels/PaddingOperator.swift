import Maps
import Numerics
import Tensors

/// y = x with zeros around it: y(i + top, j + left) = x(i, j).
public struct PaddingOperator: LinearOperator {
  /// C×H×W.
  public let domain: Shape
  /// C×(top + H + bottom)×(left + W + right).
  public let codomain: Shape
  private let window: GridWindow

  /// - Parameters: rows and columns of zeros on each side.
  /// - Throws: `unusable` when one is negative; `tooLarge` when a result has 2³¹ elements or more.
  /// - Precondition: `shape` is C×H×W.
  public init(
    shape: Shape, top: Int, left: Int, bottom: Int, right: Int
  ) throws(PlanError) {
    precondition(shape.rank == 3)
    let margins = [top, left, bottom, right]
    if let margin = margins.first(where: { $0 < 0 }) {
      throw .unusable(
        "a margin of \(margin) pixels cannot be added; use a crop to take pixels away")
    }
    let (height, width) = try Self.paddedExtents(shape, margins)
    domain = shape
    codomain = Shape(shape[0], height, width)
    window = GridWindow(
      outerHeight: height, outerWidth: width, top: top, left: left, height: shape[1],
      width: shape[2])
  }

  /// Height and width with the margins (top, left, bottom, right), none negative.
  private static func paddedExtents(
    _ shape: Shape, _ margins: [Int]
  ) throws(PlanError) -> (Int, Int) {
    let limit = Int(Int32.max)
    if (margins + shape.extents).allSatisfy({ $0 < limit }) {
      let height = margins[0] + shape[1] + margins[2]
      let width = margins[1] + shape[2] + margins[3]
      let plane = height.multipliedReportingOverflow(by: width)
      let all = plane.partialValue.multipliedReportingOverflow(by: shape[0])
      if !plane.overflow, !all.overflow, all.partialValue < limit { return (height, width) }
    }
    let sides = margins.map(String.init).joined(separator: ", ")
    throw .tooLarge("a picture of \(shape) with margins of \(sides) pixels")
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    TransposedPlan(CropPlan(grids: lanes * domain[0], window: window))
  }
}
