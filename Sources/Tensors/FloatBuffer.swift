/// A fixed block of Float32 aligned to a cache line, for plans: allocated once, owned by this
/// object, freed with it. Not thread-safe: one owner, one thread at a time.
package final class FloatBuffer {
  package let count: Int
  /// Valid for `count` elements while this object lives; 64-byte aligned.
  package let pointer: UnsafeMutablePointer<Float>
  private let storage: UnsafeMutableRawPointer

  package init(_ count: Int) {
    precondition(count >= 0)
    self.count = count
    storage = .allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    pointer = storage.bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: max(count, 1))
  }

  package convenience init(_ values: [Float]) {
    self.init(values.count)
    pointer.update(from: values, count: values.count)
  }

  deinit { storage.deallocate() }

  /// All elements; `buffer.span` and `buffer.mutableSpan` are the views that plans take.
  package var buffer: UnsafeMutableBufferPointer<Float> { .init(start: pointer, count: count) }
  package var array: [Float] { Array(buffer) }
}
