import Tensors
import Testing

@testable import Training

private struct Ramp: ImageSource {
  let shape: Shape
  var count: Int { 2 }
  var roundingVariance: Float { 0.5 }
  var sources: [Int]? { nil }
  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    for element in 0..<shape.count { target[element] = Float(100 * index + element) }
  }
}

/// Meant to catch: a quarter turn that transposes; channels exchanged with rows.
@Suite struct SymmetriesTests {
  private func picture(_ images: any ImageSource, _ index: Int) -> [Float] {
    var values = [Float](repeating: 0, count: images.shape.count)
    values.withUnsafeMutableBufferPointer { images.copy(index, into: $0.baseAddress!) }
    return values
  }

  @Test("the eight positions of a square differ, and begin with the picture as it is")
  func positions() {
    let images = SymmetricImages(Ramp(shape: Shape(1, 3, 3)), .turns)
    #expect(images.count == 16 && images.roundingVariance == 0.5)
    #expect(Set((0..<8).map { picture(images, $0) }).count == 8)
    #expect(picture(images, 8) == picture(Ramp(shape: Shape(1, 3, 3)), 1))
    #expect(images.sources == (0..<16).map { $0 / 8 })
  }

  @Test("2×2: mirrored, and turned by a quarter")
  func small() {
    let images = SymmetricImages(Ramp(shape: Shape(1, 2, 2)), .turns)
    #expect(picture(images, 1) == [1, 0, 3, 2])
    #expect(picture(images, 2) == [1, 3, 0, 2])
    #expect(picture(images, 4) == [3, 2, 1, 0])
  }

  @Test("a flip of two channels that are no squares mirrors each row")
  func rectangle() {
    let images = SymmetricImages(Ramp(shape: Shape(2, 2, 3)), .flips)
    #expect(picture(images, 1) == [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9])
  }
}
