/// What a file is, by the bytes that it begins with: for messages that say what was found.
package enum FileFormat {
  /// Beginnings and names. Sources: the formats' own definitions.
  private static let beginnings: [(bytes: [UInt8], name: String)] = [
    ([0x89] + Array("PNG".utf8), "a PNG"), ([0xFF, 0xD8, 0xFF], "a JPEG"),
    (Array("GIF8".utf8), "a GIF"), (Array("BM".utf8), "a BMP"),
    (Array("II*\0".utf8), "a TIFF"), (Array("MM\0*".utf8), "a TIFF"),
    (Array("SIMPLE  =".utf8), "a FITS file"), ([0x93] + Array("NUMPY".utf8), "a NumPy array"),
    (Array("%PDF".utf8), "a PDF"), ([0x1F, 0x8B], "a gzip file"),
    (Array("PK\u{3}\u{4}".utf8), "a zip file (such as .npz)"),
    ([0x89] + Array("HDF".utf8), "an HDF5 file"), (Array("<svg".utf8), "an SVG"),
    ([0, 0, 8, 3], "an IDX file"), ([0, 0, 8, 1], "an IDX file of labels"),
  ]

  package static let safetensors = "a safetensors file"

  /// The name of a known format, with its article; nil for what is not known.
  package static func name(of bytes: some Collection<UInt8>) -> String? {
    // A length of eight bytes and an opening brace.
    if bytes.dropFirst(8).first == UInt8(ascii: "{"),
      bytes.dropFirst(5).prefix(3).allSatisfy({ $0 == 0 })
    {
      return safetensors
    }
    if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
      return "a WebP"
    }
    if let found = beginnings.first(where: { bytes.starts(with: $0.bytes) }) { return found.name }
    return nil
  }

  /// In words, whatever the bytes are.
  package static func described(_ bytes: some Collection<UInt8>) -> String {
    if bytes.isEmpty { return "empty" }
    if let name = name(of: bytes) { return name }
    let isText = bytes.prefix(512).allSatisfy { $0 >= 32 && $0 != 127 || (9...13).contains($0) }
    return isText ? "text" : "of no known format"
  }
}
