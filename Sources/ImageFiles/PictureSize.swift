/// Height and width of a picture file, read from its header alone.
struct PictureSize: Equatable {
  let height: Int
  let width: Int

  /// - Throws: as `Picture.read`, as far as the header tells.
  init(path: String) throws(ImageFileError) {
    try self.init(
      try InputFile.read(path: path, limit: Picture.maximumFileBytes), path: path)
  }

  init(_ bytes: [UInt8], path: String) throws(ImageFileError) {
    if bytes.starts(with: JPEGDecoder.signature) {
      (height, width) = try JPEGDecoder(path: path).size(bytes)
      return
    }
    // Signature of 8 bytes, length and name of the chunk IHDR, then width and height, big-endian
    // (W3C, Portable Network Graphics, 11.2.1).
    guard bytes.count >= 24, bytes.starts(with: [0x89] + Array("PNG".utf8)),
      Array(bytes[12..<16]) == Array("IHDR".utf8)
    else { throw .badData(path: path, reason: "it is neither a PNG nor a JPEG file") }
    func number(_ start: Int) -> Int { bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    (height, width) = (number(20), number(16))
  }
}
