import Maps
import Tensors

/// y(i, j) = mean of the block of factor × factor pixels at (i·factor, j·factor) of each channel.
public struct DownsamplingOperator: LinearOperator {
  /// C×H×W.
  public let domain: Shape
  /// C×(H/factor)×(W/factor).
  public let codomain: Shape
  public let factor: Int

  /// - Throws: `unusable` when the factor does not divide both sides; says which factors do.
  /// - Precondition: `shape` is C×H×W.
  public init(shape: Shape, factor: Int) throws(PlanError) {
    precondition(shape.rank == 3)
    let (height, width) = (shape[1], shape[2])
    guard factor >= 1, height % factor == 0, width % factor == 0 else {
      throw .unusable(
        "a picture of \(height)×\(width) cannot be downsampled by \(factor); factors that divide "
          + "both sides: \(Self.divisors(height, width))")
    }
    domain = shape
    codomain = Shape(shape[0], height / factor, width / factor)
    self.factor = factor
  }

  private static func divisors(_ height: Int, _ width: Int) -> String {
    let candidates = 1...max(min(height, width), 1)
    let divisors = candidates.filter { height % $0 == 0 && width % $0 == 0 }
    return divisors.map { String($0) }.joined(separator: ", ")
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    DownsamplingPlan(
      rows: lanes * codomain[0] * codomain[1], columns: codomain[2], factor: factor)
  }
}

/// Lanes, channels and rows are one axis here: `factor` divides the height, so no block crosses from
/// one picture into the next.
final class DownsamplingPlan: MapPlan {
  private let rows: Int
  private let columns: Int
  private let factor: Int

  init(rows: Int, columns: Int, factor: Int) {
    self.rows = rows
    self.columns = columns
    self.factor = factor
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    precondition(x.count == rows * columns * factor * factor && y.count == rows * columns)
    let width = columns * factor
    let scale = 1 / Float(factor * factor)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum: Float = 0
        for a in 0..<factor {
          let start = (row * factor + a) * width + column * factor
          for b in start..<start + factor { sum += x[unchecked: b] }
        }
        y[unchecked: row * columns + column] = sum * scale
      }
    }
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    precondition(dx.count == rows * columns * factor * factor && dy.count == rows * columns)
    let width = columns * factor
    let scale = 1 / Float(factor * factor)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = dy[unchecked: row * columns + column] * scale
        for a in 0..<factor {
          let start = (row * factor + a) * width + column * factor
          for b in start..<start + factor { dx[unchecked: b] = value }
        }
      }
    }
  }
}
