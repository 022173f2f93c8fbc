import CPNG
import Glibc

/// Samples → PNG bytes, without interlacing.
enum PNGEncoder {
  /// - Parameters:
  ///   - samples: height × width × channels, row-major, each < 2^bitDepth.
  ///   - channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
  ///   - bitDepth: 8 or 16.
  ///   - texts: tEXt chunks; keywords of 1–79 Latin-1 characters.
  /// - Throws: `ImageFileError.writeFailed` with libpng's reason, such as exhausted memory.
  /// - Precondition: the sizes agree and lie within the limits of `PNGDecoder`.
  static func encode(
    _ samples: [UInt16], width: Int, height: Int, channels: Int, bitDepth: Int,
    texts: [(keyword: String, value: String)] = []
  ) throws(ImageFileError) -> [UInt8] {
    precondition(
      width > 0 && height > 0 && max(width, height) <= PNGDecoder.maximumSide
        && width * height <= PNGDecoder.maximumPixels, "a PNG cannot be \(width)×\(height)")
    precondition((1...4).contains(channels) && (bitDepth == 8 || bitDepth == 16))
    precondition(samples.count == width * height * channels)
    let bytes: [UInt8] =
      bitDepth == 8
      ? samples.map { UInt8($0) }
      : samples.withUnsafeBytes { Array($0) }
    var block: UnsafeMutablePointer<UInt8>?
    var count = 0
    var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_SIZE))
    // Keywords and values are copied by strdup and freed here; C keeps none of them.
    let keywords = texts.map { UnsafePointer(strdup($0.keyword)) }
    let values = texts.map { UnsafePointer(strdup($0.value)) }
    defer { for string in keywords + values { free(UnsafeMutablePointer(mutating: string)) } }
    let status = cpng_encode(
      bytes, UInt32(width), UInt32(height), Int32(channels), Int32(bitDepth), keywords, values,
      Int32(texts.count), &block, &count, &message)
    guard status == 0, let block else {
      let reason = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw .writeFailed(
        path: "a PNG picture", reason: "libpng says " + String(decoding: reason, as: UTF8.self))
    }
    defer { cpng_free(block) }
    return Array(UnsafeBufferPointer(start: block, count: count))
  }
}
