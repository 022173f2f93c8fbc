import Tensors
import Testing

@testable import ImageFiles

@Suite("writing pictures")
struct PictureWritingTests {
  @Test("read ∘ write = identity on sample values", arguments: [8, 16], [0.0...1, -0.25...2.5])
  func roundTrip(bitDepth: Int, range: ClosedRange<Double>) throws {
    let largest = (1 << bitDepth) - 1
    let width = range.upperBound - range.lowerBound
    func intensity(_ i: Int) -> Float {
      Float(range.lowerBound + Double(i * 7919 & largest) / Double(largest) * width)
    }
    for (channels, opaque) in [(1, true), (1, false), (3, true), (3, false)] {
      let shape = Shape(channels, 6, 7)
      let picture = Picture(
        tensor: Tensor(shape: shape, values: (0..<shape.count).map(intensity)),
        alpha: opaque ? nil : Tensor(shape: Shape(1, 6, 7), values: (0..<42).map { Float($0 % 2) }),
        bitDepth: bitDepth, range: range)
      #expect(try Picture.read(bytes: picture.encoded()) == picture)
    }
  }

  // Seen to fail with truncation in place of rounding.
  @Test("intensities are clamped and rounded to the nearest sample")
  func rounding() throws {
    let values: [Float] = [-0.3, 0.4 / 255, 0.6 / 255, 254.4 / 255, 1.7, .infinity]
    let picture = Picture(tensor: Tensor(shape: Shape(1, 1, 6), values: values))
    let read = try Picture.read(bytes: picture.encoded())
    #expect(read.tensor.values.map { ($0 * 255).rounded() } == [0, 0, 1, 254, 255, 255])
  }

  @Test("only a range other than 0…1 is written as text")
  func text() throws {
    func texts(_ range: ClosedRange<Double>) throws -> [String] {
      let picture = Picture(tensor: Tensor(shape: Shape(1, 1, 1)), range: range)
      return try PNGDecoder(path: "").decode(picture.encoded()).texts.map(\.value)
    }
    #expect(try texts(0...1) == [])
    #expect(try texts(-0.1...1.2) == ["-0.1 1.2"])
  }

  @Test("an existing file stays unless overwriting is asked for")
  func overwriting() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/p.png"
    let black = Picture(tensor: Tensor(shape: Shape(1, 2, 2)))
    let white = Picture(tensor: Tensor(shape: Shape(1, 2, 2), repeating: 1))
    try black.write(to: path)
    #expect(failure { try white.write(to: path) } == .exists(path: path))
    #expect(try Picture.read(path: path) == black)
    try white.write(to: path, overwrite: true)
    #expect(try Picture.read(path: path) == white)
    #expect(folder.names == ["p.png"])
  }
}
