import Maps
import Tensors

/// y(i, j) = x(i + top, j + left) for `height` rows and `width` columns: what a smaller field shows.
public struct CropOperator: LinearOperator {
  /// C×H×W.
  public let domain: Shape
  /// C×height×width.
  public let codomain: Shape
  private let window: GridWindow

  /// - Parameters: in pixels; `top` and `left` are left out above and before the window.
  /// - Throws: `unusable` when the window is empty or reaches beyond the picture.
  /// - Precondition: `shape` is C×H×W.
  public init(
    shape: Shape, top: Int, left: Int, height: Int, width: Int
  ) throws(PlanError) {
    precondition(shape.rank == 3)
    // Differences of numbers ≥ 0, since a sum could overflow.
    guard top >= 0, left >= 0, height > 0, width > 0, top <= shape[1], left <= shape[2],
      height <= shape[1] - top, width <= shape[2] - left
    else {
      throw .unusable(
        "a window of \(height)×\(width) at row \(top), column \(left) does not lie in a picture "
          + "of \(shape[1])×\(shape[2]); choose one that does")
    }
    domain = shape
    codomain = Shape(shape[0], height, width)
    window = GridWindow(
      outerHeight: shape[1], outerWidth: shape[2], top: top, left: left, height: height,
      width: width)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    CropPlan(grids: lanes * domain[0], window: window)
  }
}

final class CropPlan: MapPlan {
  private let grids: Int
  private let window: GridWindow

  init(grids: Int, window: GridWindow) {
    self.grids = grids
    self.window = window
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    window.crop(x, into: &y, grids: grids)
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    window.pad(dy, into: &dx, grids: grids)
  }
}
