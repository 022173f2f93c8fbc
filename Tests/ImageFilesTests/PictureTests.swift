import Tensors
import Testing

@testable import ImageFiles

@Suite("pictures")
struct PictureTests {
  @Test("the quantization step is the range over the number of steps")
  func step() {
    let tensor = Tensor(shape: Shape(1, 1, 1))
    #expect(Picture(tensor: tensor).quantizationStep == 1.0 / 255)
    #expect(
      Picture(tensor: tensor, bitDepth: 16, range: -1...3).quantizationStep == 4.0 / 65_535)
  }

  @Test("sizes and channels come from the tensor")
  func sizes() {
    let picture = Picture(tensor: Tensor(shape: Shape(3, 4, 5)))
    #expect(picture.height == 4 && picture.width == 5 && picture.channels == .rgb)
    #expect(Picture(tensor: Tensor(shape: Shape(1, 4, 5))).channels == .grey)
  }
}
