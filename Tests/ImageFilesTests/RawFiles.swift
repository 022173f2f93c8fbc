import Foundation

@testable import ImageFiles

/// Builds PNG and gzip files byte by byte, with stored (uncompressed) deflate blocks, so that the
/// tests do not take the code under test for their oracle.
enum RawFiles {
  /// A PNG file: signature, IHDR, `before` the pixels, one IDAT of `rows` (each with its filter
  /// byte 0 added), IEND. `rows` of an interlaced picture are those of all its passes.
  static func png(
    width: Int, height: Int, bitDepth: UInt8, colorType: UInt8, interlaced: Bool = false,
    before: [[UInt8]] = [], rows: [[UInt8]]
  ) -> [UInt8] {
    let header =
      big(UInt32(width)) + big(UInt32(height)) + [bitDepth, colorType, 0, 0, interlaced ? 1 : 0]
    return [137, 80, 78, 71, 13, 10, 26, 10] + chunk("IHDR", header) + before.flatMap { $0 }
      + chunk("IDAT", zlib(rows.flatMap { [0] + $0 })) + chunk("IEND", [])
  }

  static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    big(UInt32(data.count)) + Array(type.utf8) + data + big(crc32(Array(type.utf8) + data))
  }

  /// A tEXt chunk.
  static func text(_ keyword: String, _ value: String) -> [UInt8] {
    chunk("tEXt", Array(keyword.utf8) + [0] + Array(value.utf8))
  }

  /// RFC 1950 around one stored block.
  static func zlib(_ data: [UInt8]) -> [UInt8] {
    var a: UInt32 = 1, b: UInt32 = 0
    for byte in data {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return [0x78, 0x01] + stored(data) + big(b << 16 | a)
  }

  /// RFC 1952 around one stored block.
  static func gzip(_ data: [UInt8]) -> [UInt8] {
    [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + stored(data) + big(crc32(data)).reversed()
      + big(UInt32(data.count)).reversed()
  }

  private static func stored(_ data: [UInt8]) -> [UInt8] {
    precondition(data.count < 65_536)
    let low = UInt8(data.count & 255), high = UInt8(data.count >> 8)
    return [1, low, high, ~low, ~high] + data
  }

  static func big(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  static func crc32(_ data: [UInt8]) -> UInt32 {
    var crc: UInt32 = .max
    for byte in data {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

/// A directory of its own for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/paeinvert-" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func put(_ name: String, _ bytes: [UInt8]) -> String {
    _ = FileManager.default.createFile(atPath: path + "/" + name, contents: Data(bytes))
    return path + "/" + name
  }

  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path + "/" + name).map(Array.init)
  }

  /// All names in the folder, hidden ones too, sorted.
  var names: [String] { try! FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws -> Void) -> ImageFileError? {
  do { try body() } catch { return error as? ImageFileError }
  return nil
}
