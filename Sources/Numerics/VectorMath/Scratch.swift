/// Zeros in memory of its own, for as long as the object lives; the plan that makes it owns it.
package final class Scratch {
  let count: Int
  package let pointer: UnsafeMutablePointer<Double>

  package init(_ count: Int) {
    self.count = count
    pointer = .allocate(capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { pointer.deallocate() }

  /// All elements.
  package var buffer: UnsafeMutableBufferPointer<Double> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }
}
