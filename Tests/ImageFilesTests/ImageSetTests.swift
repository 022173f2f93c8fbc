import Tensors
import Testing

@testable import ImageFiles

@Suite("image sets")
struct ImageSetTests {
  let bytes = ImageSet(
    shape: Shape(1, 1, 2), count: 3, storage: .bytes([0, 51, 102, 153, 204, 255]))
  let floats = ImageSet(shape: Shape(1, 1, 2), count: 2, storage: .floats([1, 2, 3, 4]))

  @Test("bytes are 1/255, floats are themselves")
  func tensors() {
    #expect(bytes.tensor(1) == Tensor(shape: Shape(1, 1, 2), values: [0.4, 0.6]))
    #expect(floats.tensor(1) == Tensor(shape: Shape(1, 1, 2), values: [3, 4]))
  }

  @Test("copy writes one picture and nothing behind it")
  func copy() {
    var values: [Float] = [9, 9, 9]
    var span = values.mutableSpan
    bytes.copy(2, into: &span)
    #expect(values == [0.8, 1, 9])
  }

  @Test("a range of pictures is those pictures")
  func ranges() {
    #expect(bytes[1..<3].count == 2 && bytes[1..<3].tensor(1) == bytes.tensor(2))
    #expect(floats[0..<1].tensor(0) == floats.tensor(0))
  }
}
