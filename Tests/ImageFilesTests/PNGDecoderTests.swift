import Testing

@testable import ImageFiles

@Suite("PNG decoding")
struct PNGDecoderTests {
  func samples(_ bytes: [UInt8]) throws -> PNGSamples {
    try PNGDecoder(path: "test.png").decode(bytes)
  }

  // Seen to fail without png_set_expand.
  @Test("grey of 1, 2, 4 bits expands linearly to 8", arguments: [UInt8(1), 2, 4])
  func narrowGrey(bitDepth: UInt8) throws {
    let largest = (1 << Int(bitDepth)) - 1
    let packed = (0...largest).reduce(into: [UInt8](repeating: 0, count: 8)) { row, value in
      let bit = value * Int(bitDepth)
      row[bit / 8] |= UInt8(value) << (8 - Int(bitDepth) - bit % 8)
    }
    let row = Array(packed.prefix(((largest + 1) * Int(bitDepth) + 7) / 8))
    let png = try samples(
      RawFiles.png(
        width: largest + 1, height: 1, bitDepth: bitDepth, colorType: 0, rows: [row]))
    #expect(png.bitDepth == 8 && png.channels == 1)
    #expect(png.samples == (0...largest).map { UInt16($0 * 255 / largest) })
  }

  // Seen to fail without png_set_swap.
  @Test("16 bits stay 16 bits, in the machine's order")
  func sixteenBits() throws {
    let png = try samples(
      RawFiles.png(
        width: 2, height: 1, bitDepth: 16, colorType: 2,
        rows: [[0, 1, 1, 0, 255, 254, 18, 52, 0, 0, 255, 255]]))
    #expect(png.bitDepth == 16 && png.channels == 3)
    #expect(png.samples == [1, 256, 65_534, 0x1234, 0, 65_535])
  }

  @Test("grey + alpha, RGB, RGBA keep their samples", arguments: [(4, 2), (2, 3), (6, 4)])
  func eightBits(colorType: Int, channels: Int) throws {
    let rows = [
      (0..<2 * channels).map { UInt8($0 * 31) }, (0..<2 * channels).map { UInt8(255 - $0) },
    ]
    let png = try samples(
      RawFiles.png(width: 2, height: 2, bitDepth: 8, colorType: UInt8(colorType), rows: rows))
    #expect(png.channels == channels)
    #expect(png.samples == rows.flatMap { $0 }.map(UInt16.init))
  }

  @Test("palettes become RGB, with tRNS RGBA, and greys are recognized")
  func palettes() throws {
    func palette(_ entries: [UInt8], transparency: [UInt8]? = nil) throws -> PNGSamples {
      let before =
        [RawFiles.chunk("PLTE", entries)]
        + (transparency.map { [RawFiles.chunk("tRNS", $0)] } ?? [])
      return try samples(
        RawFiles.png(
          width: 4, height: 1, bitDepth: 2, colorType: 3, before: before, rows: [[0b01_00_01_00]]))
    }
    let colours = try palette([10, 20, 30, 200, 100, 50])
    #expect(colours.channels == 3 && !colours.paletteIsGrey)
    #expect(colours.samples == [200, 100, 50, 10, 20, 30, 200, 100, 50, 10, 20, 30])
    let seeThrough = try palette([10, 20, 30, 200, 100, 50], transparency: [7])
    #expect(seeThrough.channels == 4)
    #expect(seeThrough.samples.prefix(8) == [200, 100, 50, 255, 10, 20, 30, 7])
    #expect(try palette([9, 9, 9, 70, 70, 70]).paletteIsGrey)
  }

  @Test("tRNS of a grey picture becomes alpha")
  func greyTransparency() throws {
    let png = try samples(
      RawFiles.png(
        width: 3, height: 1, bitDepth: 8, colorType: 0, before: [RawFiles.chunk("tRNS", [0, 77])],
        rows: [[76, 77, 78]]))
    #expect(png.channels == 2)
    #expect(png.samples == [76, 255, 77, 0, 78, 255])
  }

  @Test("Adam7 passes land where they belong")
  func interlaced() throws {
    // A 4×4 picture has pixels in passes 1, 4, 5, 6, 7 only; pixel value = 16·y + x.
    let png = try samples(
      RawFiles.png(
        width: 4, height: 4, bitDepth: 8, colorType: 0, interlaced: true,
        rows: [[0], [2], [32, 34], [1, 3], [33, 35], [16, 17, 18, 19], [48, 49, 50, 51]]))
    #expect(png.samples == (0..<4).flatMap { y in (0..<4).map { UInt16(16 * y + $0) } })
  }

  @Test("tEXt, zTXt and iTXt are read, before and after the pixels")
  func texts() throws {
    let before = [
      RawFiles.text("a", "one"),
      RawFiles.chunk("zTXt", Array("b".utf8) + [0, 0] + RawFiles.zlib(Array("two".utf8))),
      RawFiles.chunk("iTXt", Array("c".utf8) + [0, 0, 0, 0, 0] + Array("three σ".utf8)),
    ]
    var bytes = RawFiles.png(
      width: 1, height: 1, bitDepth: 8, colorType: 0, before: before, rows: [[5]])
    bytes.insert(contentsOf: RawFiles.text("d", "four"), at: bytes.count - 12)
    let texts = try samples(bytes).texts
    #expect(texts.map(\.keyword) == ["a", "b", "c", "d"])
    #expect(texts.map(\.value) == ["one", "two", "three σ", "four"])
  }

  @Test("a gamma other than sRGB's is reported unless an sRGB chunk overrules it")
  func gamma() throws {
    func foreign(_ gamma: UInt32, sRGB: Bool) throws -> Double? {
      let chunks =
        (sRGB ? [RawFiles.chunk("sRGB", [0])] : []) + [RawFiles.chunk("gAMA", RawFiles.big(gamma))]
      return try samples(
        RawFiles.png(
          width: 1, height: 1, bitDepth: 8, colorType: 0, before: chunks, rows: [[5]])
      ).foreignGamma
    }
    #expect(try foreign(45_455, sRGB: false) == nil)
    #expect(try foreign(100_000, sRGB: false) == 1)
    #expect(try foreign(45_455, sRGB: true) == nil)
  }

  static let small = RawFiles.png(
    width: 3, height: 2, bitDepth: 8, colorType: 2,
    before: [RawFiles.text("paeinvert:range", "0 2")],
    rows: [[1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2, 1]])

  @Test("every proper prefix is refused")
  func truncation() {
    for length in 0..<Self.small.count {
      #expect(throws: ImageFileError.self) { try samples(Array(Self.small.prefix(length))) }
    }
  }

  // Every byte is the signature's or guarded by a chunk's CRC, ancillary chunks' included. Seen to
  // fail with libpng's default CRC action, which drops a damaged text chunk silently.
  @Test("every flipped bit is refused")
  func flips() {
    for index in Self.small.indices {
      for bit in 0..<8 {
        var bytes = Self.small
        bytes[index] ^= 1 << bit
        #expect(throws: ImageFileError.self, "byte \(index), bit \(bit)") { try samples(bytes) }
      }
    }
  }

  @Test("wrong checksums apart, random damage never crashes")
  func repairedDamage() {
    // Damage inside the chunks with their CRCs made right again reaches the decoder proper.
    for index in 0..<13 {
      for value in UInt8.min...UInt8.max {
        var header: [UInt8] = [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]
        header[index] = value
        let bytes =
          Array(Self.small[..<8]) + RawFiles.chunk("IHDR", header) + Array(Self.small[33...])
        expectWholeOrRefused(bytes)
      }
    }
    let data = RawFiles.zlib([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    for index in data.indices {
      var damaged = data
      damaged[index] ^= 0x55
      let bytes =
        Array(Self.small[..<33]) + RawFiles.chunk("IDAT", damaged) + RawFiles.chunk("IEND", [])
      expectWholeOrRefused(bytes)
    }
  }

  /// What is accepted has as many samples as its header says; all else is bad data.
  private func expectWholeOrRefused(_ bytes: [UInt8]) {
    do throws(ImageFileError) {
      let png = try PNGDecoder(path: "test.png").decode(bytes)
      #expect(png.samples.count == png.width * png.height * png.channels)
    } catch {
      #expect(error.exitCode == 65)
    }
  }

  // Seen to fail without the check against the file's size: the third case then takes 512 MB first.
  @Test("huge and empty sizes are refused by the header alone")
  func sizes() {
    func reason(_ width: Int, _ height: Int) -> String {
      let bytes = RawFiles.png(
        width: width, height: height, bitDepth: 16, colorType: 6, rows: [[0]])
      return failure { _ = try samples(bytes) }?.description ?? "accepted"
    }
    #expect(reason(0, 5).contains("damaged or no PNG"))
    #expect(reason(70_000, 5).contains("damaged or no PNG"))
    #expect(reason(8000, 8000).contains("more than its"))
    #expect(reason(60_000, 60_000).contains("limit of 67108864"))
  }

  @Test("other files are named as what they are not")
  func notPNG() {
    let reasons = [[UInt8](), Array("GIF89a, and more".utf8)].map { bytes in
      failure { _ = try samples(bytes) }?.description ?? "accepted"
    }
    #expect(reasons[0] == "cannot use test.png: damaged or no PNG (the file is empty)")
    #expect(reasons[1] == "cannot use test.png: damaged or no PNG (not a PNG file)")
  }
}
