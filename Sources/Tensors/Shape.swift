/// The extents of a row-major array, outermost first. A scalar has no extents and one element.
public struct Shape: Hashable, Sendable, CustomStringConvertible {
  /// Extents, each ≥ 0, outermost first.
  public let extents: [Int]

  /// - Precondition: every extent is ≥ 0 and their product fits in an `Int`.
  public init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "a negative extent in \(extents)")
    self.extents = extents
    var product = 1
    for extent in extents {
      let (value, overflow) = product.multipliedReportingOverflow(by: extent)
      precondition(!overflow, "the shape \(extents) has more elements than an Int can count")
      product = value
    }
    count = product
  }

  public init(_ extents: Int...) { self.init(extents) }

  /// Number of elements: the product of the extents.
  public let count: Int

  public var rank: Int { extents.count }

  public subscript(axis: Int) -> Int { extents[axis] }

  /// Extents joined by "×".
  public var description: String { extents.map(String.init).joined(separator: "×") }
}
