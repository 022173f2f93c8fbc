import Tensors
import Testing

@testable import ImageFiles

@Suite("reading pictures")
struct PictureReadingTests {
  func grey(_ row: [UInt8], range: [String] = []) -> [UInt8] {
    RawFiles.png(
      width: row.count, height: 1, bitDepth: 8, colorType: 0,
      before: range.map { RawFiles.text("paeinvert:range", $0) }, rows: [row])
  }

  // Seen to fail with 256 for 255, and with LO forgotten.
  @Test("intensity = LO + sample/max · (HI − LO)")
  func intensities() throws {
    #expect(try Picture.read(bytes: grey([0, 51, 255])).tensor.values == [0, 0.2, 1])
    let picture = try Picture.read(bytes: grey([0, 51, 255], range: ["-0.5 1.5e0"]))
    #expect(picture.range == -0.5...1.5)
    #expect(picture.tensor.values == [-0.5, -0.1, 1.5])
  }

  @Test("channels come first in the tensor, alpha apart")
  func layout() throws {
    let picture = try Picture.read(
      bytes: RawFiles.png(
        width: 2, height: 1, bitDepth: 8, colorType: 6, rows: [[255, 0, 51, 102, 0, 255, 0, 255]]))
    #expect(picture.tensor == Tensor(shape: Shape(3, 1, 2), values: [1, 0, 0, 1, 0.2, 0]))
    #expect(picture.alpha == Tensor(shape: Shape(1, 1, 2), values: [0.4, 1]))
  }

  @Test("a palette of greys is a grey picture, with its alpha")
  func greyPalette() throws {
    let before = [
      RawFiles.chunk("PLTE", [51, 51, 51, 255, 255, 255]), RawFiles.chunk("tRNS", [0]),
    ]
    let picture = try Picture.read(
      bytes: RawFiles.png(
        width: 2, height: 1, bitDepth: 1, colorType: 3, before: before, rows: [[0b0100_0000]]))
    #expect(picture.tensor == Tensor(shape: Shape(1, 1, 2), values: [0.2, 1]))
    #expect(picture.alpha?.values == [0, 1])
  }

  @Test(
    "a range that is not two increasing finite numbers, once, is refused",
    arguments: [
      ["1 0"], ["0 0"], ["0 nan"], ["-inf 1"], ["0 1e999"], ["0"], ["0 1 2"], ["a b"], [""],
      ["0x0p0 0x1p0"], ["0 1", "0 1"], ["-1e308 1e308"], ["0 1e300"],
    ])
  func badRange(range: [String]) {
    let error = failure { _ = try Picture.read(bytes: grey([1], range: range)) }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains("paeinvert:range") == true)
  }

  @Test("a foreign gamma is a warning")
  func gamma() throws {
    let bytes = RawFiles.png(
      width: 1, height: 1, bitDepth: 8, colorType: 0,
      before: [RawFiles.chunk("gAMA", RawFiles.big(100_000))], rows: [[51]])
    let picture = try Picture.read(bytes: bytes)
    #expect(picture.warnings.count == 1 && picture.warnings[0].contains("gamma of 1.0"))
    #expect(picture.tensor.values == [0.2])
    #expect(try Picture.read(bytes: grey([1])).warnings.isEmpty)
  }

  @Test("a missing file is 66, a directory too, a bad one 65")
  func codes() {
    let folder = TemporaryFolder()
    #expect(failure { _ = try Picture.read(path: folder.path + "/no.png") }?.exitCode == 66)
    #expect(failure { _ = try Picture.read(path: folder.path) }?.exitCode == 66)
    let bad = folder.put("bad.png", [1, 2, 3])
    #expect(failure { _ = try Picture.read(path: bad) }?.exitCode == 65)
  }
}
