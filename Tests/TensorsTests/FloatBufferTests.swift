import Tensors
import Testing

@Suite struct FloatBufferTests {
  /// Seen to fail: alignment 4.
  @Test("the memory begins on a cache line", arguments: [0, 1, 3, 16, 17, 1000, 65_537])
  func alignment(_ count: Int) {
    // Several at once, so that a lucky address cannot pass for all.
    let buffers = (0..<8).map { _ in FloatBuffer(count) }
    for buffer in buffers {
      #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
      #expect(buffer.count == count)
      #expect(buffer.array == [Float](repeating: 0, count: count))
    }
  }

  @Test("a buffer made of values holds them, and writes through its views are seen")
  func contents() {
    let values = (0..<37).map { Float($0) - 3.5 }
    let buffer = FloatBuffer(values)
    #expect(buffer.array == values)
    buffer.pointer[36] = 99
    #expect(buffer.buffer[36] == 99)
    #expect(buffer.array.last == 99)
    #expect(FloatBuffer([]).array.isEmpty)
  }
}
