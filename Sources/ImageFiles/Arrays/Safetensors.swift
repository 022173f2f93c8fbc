import Tensors

/// The content of a safetensors file: named arrays and text about them.
public struct Safetensors: Sendable {
  /// Elements in row-major order.
  public enum Values: Equatable, Sendable {
    case float32([Float])
    case float64([Double])

    public var count: Int {
      switch self {
      case .float32(let values): values.count
      case .float64(let values): values.count
      }
    }
  }

  public struct NamedTensor: Equatable, Sendable {
    public let name: String
    public let shape: Shape
    public let values: Values

    /// - Precondition: `values.count == shape.count`.
    public init(name: String, shape: Shape, values: Values) {
      precondition(values.count == shape.count, "\(name): wrong number of values for \(shape)")
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// The file's `__metadata__`.
  public var metadata: [String: String]
  /// In the order of their bytes.
  public var tensors: [NamedTensor]
  /// Where it was read from, for messages.
  public var source: String

  public init(
    metadata: [String: String] = [:], tensors: [NamedTensor], source: String = "safetensors"
  ) {
    self.metadata = metadata
    self.tensors = tensors
    self.source = source
  }

  /// The values of the float32 tensor `name`; throws `.badData` when it is missing, has another
  /// shape, or is float64.
  public func require(_ name: String, _ shape: Shape) throws(ImageFileError) -> [Float] {
    guard case .float32(let values) = try find(name, shape).values else {
      throw bad("the tensor \(name) is F64, not F32")
    }
    return values
  }

  /// The values of the float64 tensor `name`; throws as `require`.
  public func requireDoubles(_ name: String, _ shape: Shape) throws(ImageFileError) -> [Double] {
    guard case .float64(let values) = try find(name, shape).values else {
      throw bad("the tensor \(name) is F32, not F64")
    }
    return values
  }

  /// Throws `.badData` when a tensor is there whose name is not in `names`.
  public func requireOnly(_ names: some Sequence<String>) throws(ImageFileError) {
    let expected = Set(names)
    if let extra = tensors.first(where: { !expected.contains($0.name) }) {
      throw bad("it holds an unexpected tensor \(extra.name)")
    }
  }

  /// The tensor `name`, whatever its shape.
  public subscript(name: String) -> NamedTensor? { tensors.first { $0.name == name } }

  private func find(_ name: String, _ shape: Shape) throws(ImageFileError) -> NamedTensor {
    guard let tensor = self[name] else { throw bad("the tensor \(name) is missing") }
    guard tensor.shape == shape else {
      throw bad("the tensor \(name) has shape \(tensor.shape), expected \(shape)")
    }
    return tensor
  }

  private func bad(_ reason: String) -> ImageFileError { .badData(path: source, reason: reason) }
}
