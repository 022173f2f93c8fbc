import CPNG

/// The decoded samples of a PNG file and what its chunks say.
struct PNGSamples {
  let width: Int, height: Int
  /// 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; a palette of greys counts as RGB here.
  let channels: Int
  /// 8 or 16.
  let bitDepth: Int
  let paletteIsGrey: Bool
  /// The gAMA chunk's value when it is there, is not sRGB's 1/2.2, and no sRGB chunk overrules it.
  let foreignGamma: Double?
  /// Text chunks in file order.
  let texts: [(keyword: String, value: String)]
  /// height × width × channels samples, row-major, 0 … 2^bitDepth − 1.
  let samples: [UInt16]
}

/// PNG bytes → samples. Limits: each side ≤ 65 535 pixels, at most 2²⁶ pixels, and no more of them
/// than the file's bytes can hold (deflate packs at most 1032 : 1).
struct PNGDecoder {
  static let maximumSide = 65_535
  static let maximumPixels = 1 << 26
  /// zlib's "maximum compression factor", https://zlib.net/zlib_tech.html.
  static let maximumDeflateRatio = 1032

  let path: String

  func decode(_ bytes: [UInt8]) throws(ImageFileError) -> PNGSamples {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ImageFileError) -> PNGSamples in
      var header = cpng_header()
      // `bytes` outlives the reader, which borrows it; the reader is freed on every way out.
      let reader = try call { message in
        // An empty array has no address, and C wants one to read no bytes from.
        var noByte: UInt8 = 0
        return withUnsafePointer(to: &noByte) { empty in
          cpng_open(
            buffer.baseAddress ?? empty, buffer.count, UInt32(Self.maximumSide), &header, message)
        }
      }
      defer { cpng_close(reader) }
      try check(header, fileBytes: bytes.count)
      let samples = try decodeSamples(reader, header)
      let texts = (0..<cpng_text_count(reader)).map { index in
        (
          keyword: String(cString: cpng_text_keyword(reader, index)),
          value: String(cString: cpng_text_value(reader, index))
        )
      }
      let foreign = header.gamma != 0 && abs(header.gamma - 45_455) > 5 && header.has_srgb == 0
      return PNGSamples(
        width: Int(header.width), height: Int(header.height), channels: Int(header.channels),
        bitDepth: Int(header.bit_depth), paletteIsGrey: header.palette_is_grey != 0,
        foreignGamma: foreign ? Double(header.gamma) / 100_000 : nil, texts: texts,
        samples: samples)
    }
  }

  /// Refuses sizes before memory is taken for them.
  private func check(_ header: cpng_header, fileBytes: Int) throws(ImageFileError) {
    let width = Int(header.width), height = Int(header.height)
    guard width * height <= Self.maximumPixels else {
      throw bad("\(width)×\(height) pixels are more than the limit of \(Self.maximumPixels)")
    }
    let perPixel: Int =
      switch header.color_type {
      case 2: 3
      case 4: 2
      case 6: 4
      default: 1
      }
    let bits = width * perPixel * Int(header.file_bit_depth)
    guard (bits + 7) / 8 * height <= fileBytes * Self.maximumDeflateRatio else {
      throw bad("it claims \(width)×\(height) pixels, more than its \(fileBytes) bytes can hold")
    }
  }

  private func decodeSamples(
    _ reader: OpaquePointer, _ header: cpng_header
  ) throws(ImageFileError) -> [UInt16] {
    let count = Int(header.width) * Int(header.height) * Int(header.channels)
    var failure: ImageFileError?
    // Each block is owned by its array; C fills it and keeps no pointer after the call.
    func fill(_ raw: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
      do throws(ImageFileError) {
        _ = try call { message in
          let samples = raw.assumingMemoryBound(to: UInt8.self)
          return cpng_decode(reader, samples, byteCount, message) == 0 ? reader : nil
        }
        return true
      } catch {
        failure = error
        return false
      }
    }
    var samples: [UInt16] = []
    if header.bit_depth == 16 {
      samples = [UInt16](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = fill(buffer.baseAddress!, 2 * count) ? count : 0
      }
    } else {
      let narrow = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = fill(buffer.baseAddress!, count) ? count : 0
      }
      samples = narrow.map(UInt16.init)
    }
    if let failure { throw failure }
    return samples
  }

  /// Runs a C call that takes a message buffer and returns nil when it failed.
  private func call<Value>(
    _ body: (UnsafeMutablePointer<CChar>) -> Value?
  ) throws(ImageFileError) -> Value {
    var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_SIZE))
    let value = message.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    guard let value else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw bad("damaged or no PNG (\(String(decoding: text, as: UTF8.self)))")
    }
    return value
  }

  private func bad(_ reason: String) -> ImageFileError { .badData(path: path, reason: reason) }
}
