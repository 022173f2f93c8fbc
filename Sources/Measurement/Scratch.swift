/// Zeros in memory of its own, for as long as the object lives; the plan that makes it owns it.
final class Scratch {
  let pointer: UnsafeMutablePointer<Double>

  init(_ count: Int) {
    pointer = .allocate(capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { pointer.deallocate() }
}
