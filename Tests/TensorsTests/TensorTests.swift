import Tensors
import Testing

@Suite struct TensorTests {
  @Test("a tensor holds its values in row-major order")
  func values() {
    let tensor = Tensor(shape: Shape(2, 3), values: [0, 1, 2, 10, 11, 12])
    #expect(tensor.count == 6)
    #expect(tensor.values[1 * 3 + 2] == 12)
  }

  @Test("a repeated value fills the shape")
  func repeating() {
    #expect(Tensor(shape: Shape(2, 2), repeating: 0.5).values == [0.5, 0.5, 0.5, 0.5])
    #expect(Tensor(shape: Shape(3)).values == [0, 0, 0])
    #expect(Tensor(shape: Shape([])).values == [0])
  }

  @Test(
    "tensors are values: a changed copy leaves the original, and equality sees shape and values")
  func valueSemantics() {
    let tensor = Tensor(shape: Shape(2, 2), values: [1, 2, 3, 4])
    var copy = tensor
    #expect(copy == tensor)
    copy.values[3] = 5
    #expect(tensor.values == [1, 2, 3, 4])
    #expect(copy != tensor)
    #expect(Tensor(shape: Shape(4), values: [1, 2, 3, 4]) != tensor)
  }
}
