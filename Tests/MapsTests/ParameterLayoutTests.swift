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
    #expect(first == ParameterSlot(name: "0.weight", shape: Shape(3, 4), offset: 0))
    #expect(last == ParameterSlot(name: "scalar", shape: Shape([]), offset: 15))
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
