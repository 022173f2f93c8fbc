import CJPEG

/// The decoded samples of a JPEG file.
struct JPEGSamples {
  let width: Int, height: Int
  /// 1 grey, 3 RGB.
  let channels: Int
  /// height × width × channels, row-major, 0 … 255.
  let samples: [UInt8]
}

/// JPEG bytes → samples, by libjpeg. At most 2²⁶ pixels. The orientation that a camera notes is not
/// applied: the picture lies as its samples do.
struct JPEGDecoder {
  /// What every JPEG file begins with: the marker SOI and the first byte of the next one (ITU-T T.81,
  /// table B.1).
  static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

  let path: String

  /// - Throws: `.badData` for what is no whole JPEG file, is larger, or is neither grey nor colour.
  func decode(_ bytes: [UInt8]) throws(ImageFileError) -> JPEGSamples {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ImageFileError) -> JPEGSamples in
      guard let address = buffer.baseAddress else { throw bad("the file is empty") }
      var header = cjpeg_header()
      var message = [CChar](repeating: 0, count: Int(CJPEG_MESSAGE_SIZE))
      // `bytes` outlives the reader, which borrows it; the reader is freed on every way out.
      guard let reader = cjpeg_open(address, buffer.count, &header, &message) else {
        throw refused(message)
      }
      defer { cjpeg_close(reader) }
      let (width, height) = (Int(header.width), Int(header.height))
      // Before memory is taken for them.
      guard width * height <= PNGDecoder.maximumPixels else {
        throw bad(
          "\(width)×\(height) pixels are more than the limit of \(PNGDecoder.maximumPixels)")
      }
      let channels = Int(header.channels)
      let count = width * height * channels
      var status: Int32 = 0
      // The array owns the block; C fills it and keeps no pointer after the call.
      let samples = [UInt8](unsafeUninitializedCapacity: count) { block, initialized in
        status = cjpeg_decode(reader, block.baseAddress!, count, &message)
        initialized = status == 0 ? count : 0
      }
      guard status == 0 else { throw refused(message) }
      return JPEGSamples(width: width, height: height, channels: channels, samples: samples)
    }
  }

  /// What the header says.
  func size(_ bytes: [UInt8]) throws(ImageFileError) -> (height: Int, width: Int) {
    var header = cjpeg_header()
    var message = [CChar](repeating: 0, count: Int(CJPEG_MESSAGE_SIZE))
    // The array lives through the call, and the reader is freed before it ends.
    let isRead = bytes.withUnsafeBufferPointer { buffer in
      guard let address = buffer.baseAddress,
        let reader = cjpeg_open(address, buffer.count, &header, &message)
      else { return false }
      cjpeg_close(reader)
      return true
    }
    guard isRead else { throw refused(message) }
    return (Int(header.height), Int(header.width))
  }

  private func refused(_ message: [CChar]) -> ImageFileError {
    let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return bad("it is a JPEG, but damaged or cut off (\(String(decoding: text, as: UTF8.self)))")
  }

  private func bad(_ reason: String) -> ImageFileError { .badData(path: path, reason: reason) }
}
