import Testing

@testable import ImageFiles

@Suite("PNG encoding")
struct PNGEncoderTests {
  // Seen to fail with the byte order of 16-bit samples not swapped on one side.
  @Test("decode ∘ encode = identity", arguments: 1...4, [8, 16])
  func roundTrip(channels: Int, bitDepth: Int) throws {
    let largest = (1 << bitDepth) - 1
    let samples = (0..<5 * 3 * channels).map { UInt16($0 * 40_503 & largest) }
    let bytes = try PNGEncoder.encode(
      samples, width: 5, height: 3, channels: channels, bitDepth: bitDepth,
      texts: [("key", "value"), ("other", "0 1")])
    let png = try PNGDecoder(path: "").decode(bytes)
    #expect(png.samples == samples)
    #expect(png.width == 5 && png.height == 3)
    #expect(png.channels == channels && png.bitDepth == bitDepth)
    #expect(png.texts.map(\.keyword) == ["key", "other"])
    #expect(png.texts.map(\.value) == ["value", "0 1"])
  }

  @Test("the header says what was asked for: IHDR bytes")
  func header() throws {
    let bytes = try PNGEncoder.encode(
      [0, 65_535], width: 2, height: 1, channels: 1, bitDepth: 16)
    #expect(bytes[16..<29] == [0, 0, 0, 2, 0, 0, 0, 1, 16, 0, 0, 0, 0])
  }

  // libpng takes no text without a keyword. Seen to fail: its message lost.
  @Test("what libpng refuses is an error with its reason")
  func refusal() {
    let error = failure {
      _ = try PNGEncoder.encode(
        [0], width: 1, height: 1, channels: 1, bitDepth: 8, texts: [("", "value")])
    }
    #expect(error?.description.contains("libpng says") == true)
    #expect(error?.description.contains("keyword") == true, "\(String(describing: error))")
  }
}
