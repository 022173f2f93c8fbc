import CZlib

/// One gzip member in memory, inflated with the size known beforehand: a bomb cannot grow.
struct GzipStream {
  /// The first two bytes of a gzip file (RFC 1952).
  static let magic: [UInt8] = [0x1F, 0x8B]

  /// For messages.
  let path: String
  let bytes: [UInt8]

  /// The first `count` decompressed bytes, fewer when the stream is shorter.
  func inflate(first count: Int) throws(ImageFileError) -> [UInt8] {
    try inflate(atMost: count).bytes
  }

  /// All decompressed bytes, which must be exactly `count`; the checksum is verified.
  func inflateWhole(count: Int) throws(ImageFileError) -> [UInt8] {
    guard count / PNGDecoder.maximumDeflateRatio <= bytes.count else {
      throw bad("its header claims \(count) bytes, more than \(bytes.count) compressed can hold")
    }
    // One byte more than expected tells a stream that goes on from one that ends.
    let result = try inflate(atMost: count + 1)
    guard result.bytes.count <= count else {
      throw bad("it holds more than the \(count) bytes that its header claims")
    }
    guard result.ended else { throw bad("its compressed stream ends early") }
    guard result.bytes.count == count else {
      throw bad("its header claims \(count) bytes but it holds \(result.bytes.count)")
    }
    guard result.used == bytes.count else { throw bad("bytes follow its compressed stream") }
    return result.bytes
  }

  private func inflate(
    atMost limit: Int
  ) throws(ImageFileError) -> (bytes: [UInt8], ended: Bool, used: Int) {
    var stream = z_stream()
    // 15 window bits, + 16: gzip only.
    guard
      inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw bad("zlib does not start") }
    defer { inflateEnd(&stream) }
    var status = Z_OK
    var used = 0
    // zlib reads `bytes` and writes `output` during the closures only; both arrays own their memory.
    let output = [UInt8](unsafeUninitializedCapacity: limit) { output, initialized in
      bytes.withUnsafeBufferPointer { input in
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.next_out = output.baseAddress
        var produced = 0
        while status == Z_OK {
          // zlib counts in 32 bits: both sides are handed over in pieces.
          let consumed = input.baseAddress!.distance(to: stream.next_in)
          stream.avail_in = UInt32(min(input.count - consumed, 1 << 30))
          stream.avail_out = UInt32(min(limit - produced, 1 << 30))
          let (hadIn, hadOut) = (stream.avail_in, stream.avail_out)
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
          produced += Int(hadOut - stream.avail_out)
          if hadIn == stream.avail_in, hadOut == stream.avail_out { break }
        }
        initialized = produced
        used = input.baseAddress!.distance(to: stream.next_in)
      }
    }
    guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
      throw bad("its compressed stream is damaged")
    }
    return (output, status == Z_STREAM_END, used)
  }

  private func bad(_ reason: String) -> ImageFileError { .badData(path: path, reason: reason) }
}
