import Tensors

/// One named array inside a flat parameter vector.
public struct ParameterSlot: Sendable, Equatable {
  public let name: String
  public let shape: Shape
  /// Index of its first element in the flat vector.
  public let offset: Int
}

/// Where each named array lies in one flat vector, so that an optimizer is one loop and a checkpoint
/// one array. Slots are contiguous, in the order they were added.
public struct ParameterLayout: Sendable, Equatable {
  public private(set) var slots: [ParameterSlot] = []
  /// Length of the flat vector.
  public private(set) var count = 0

  public init() {}

  /// Adds an array behind the others and returns where it lies.
  @discardableResult
  public mutating func add(_ name: String, _ shape: Shape) -> ParameterSlot {
    let slot = ParameterSlot(name: name, shape: shape, offset: count)
    slots.append(slot)
    count += shape.count
    return slot
  }
}
