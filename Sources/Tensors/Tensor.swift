/// A dense row-major array of Float32 with value semantics. Images are C×H×W, channels first.
public struct Tensor: Equatable, Sendable {
  public let shape: Shape
  /// Elements in row-major order, `shape.count` of them.
  public var values: [Float]

  /// - Precondition: `values.count == shape.count`.
  public init(shape: Shape, values: [Float]) {
    precondition(
      values.count == shape.count, "\(values.count) values cannot fill the shape \(shape)")
    self.shape = shape
    self.values = values
  }

  public init(shape: Shape, repeating value: Float = 0) {
    self.shape = shape
    values = [Float](repeating: value, count: shape.count)
  }

  public var count: Int { values.count }
}
