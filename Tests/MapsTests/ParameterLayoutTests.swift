import Maps
import Tensors
import Testing

@Suite struct ParameterLayoutTests {
  /// Seen to fail: the offset taken after the count has grown.
  @Test("slots are contiguous, in the order they were added")
  func offsets() {
    var layout = ParameterLayout()
    #expect(layout.count == 0)
    let first = layout.add("0.weight", Shape(3, 4))
    layout.add("0.bias", Shape(3))
    layout.add("empty", Shape(0))
    let last = layout.add("scalar", Shape([]))
    #expect(first == layout.slots[0])
    #expect(last == layout.slots[3])
    #expect(layout.slots.map(\.shape) == [Shape(3, 4), Shape(3), Shape(0), Shape([])])
    #expect(layout.slots.map(\.offset) == [0, 12, 15, 15])
    #expect(layout.slots.map(\.name) == ["0.weight", "0.bias", "empty", "scalar"])
    #expect(layout.count == 16)
  }

  @Test("layouts are equal when their slots are")
  func equality() {
    var (a, b) = (ParameterLayout(), ParameterLayout())
    a.add("w", Shape(2, 3))
    b.add("w", Shape(3, 2))
    #expect(a != b)
    var c = ParameterLayout()
    c.add("w", Shape(2, 3))
    #expect(a == c)
  }
}
