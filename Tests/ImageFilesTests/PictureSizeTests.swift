import Tensors
import Testing

@testable import ImageFiles

/// Meant to catch: width and height exchanged.
@Suite struct PictureSizeTests {
  @Test("the header's size is the picture's, of either format")
  func sizes() throws {
    let png = try Picture(tensor: Tensor(shape: Shape(3, 300, 2))).encoded()
    let size = try PictureSize(png, path: "p")
    #expect(size.height == 300 && size.width == 2)
    let jpeg = try PictureSize(JPEGFiles.grey, path: "j")
    #expect(jpeg.height == 8 && jpeg.width == 16)
  }

  @Test("what is neither is refused with 65")
  func others() {
    for bytes in [[], [1, 2, 3], Array("GIF89a and so on, as long as a header".utf8)] as [[UInt8]] {
      #expect(failure { _ = try PictureSize(bytes, path: "f") }?.exitCode == 65)
    }
  }
}
