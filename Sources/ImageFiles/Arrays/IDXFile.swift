import Tensors

/// IDX files (the format of the MNIST family), plain or gzip-compressed: two zero bytes, an element
/// type, the rank, big-endian 32-bit sizes, big-endian elements in row-major order.
public enum IDXFile {
  /// The longest file accepted, in bytes, compressed or not.
  static let maximumFileBytes = 1 << 31

  /// The element types read: unsigned byte and float32.
  private enum ElementType: UInt8 {
    case byte = 0x08
    case float = 0x0D
    var size: Int { self == .byte ? 1 : 4 }
  }

  /// Reads pictures: rank 3 (count, height, width) of bytes (intensity byte/255) or of float32
  /// intensities. The sizes are checked against the file before memory is taken for them.
  ///
  /// - Throws: `.missing`; `.badData` when the file is no such IDX file, its sizes do not match its
  ///   bytes, its compressed stream is damaged, or a float is not finite.
  public static func readImages(path: String) throws(ImageFileError) -> ImageSet {
    let content = try read(path, rank: 3, accepting: [.byte, .float])
    let sizes = content.sizes
    guard sizes.allSatisfy({ $0 > 0 }) else { throw bad(path, "it holds no pictures") }
    let shape = Shape(1, sizes[1], sizes[2])
    let elements = content.bytes[content.start...]
    if content.type == .byte {
      return ImageSet(shape: shape, count: sizes[0], storage: .bytes(Array(elements)))
    }
    let floats = (0..<elements.count / 4).map {
      Float(bitPattern: bigEndian(elements, at: elements.startIndex + 4 * $0))
    }
    guard floats.allSatisfy(\.isFinite) else { throw bad(path, "it holds values not finite") }
    return ImageSet(shape: shape, count: sizes[0], storage: .floats(floats))
  }

  /// Reads labels: rank 1 of bytes. Throws as `readImages`.
  public static func readLabels(path: String) throws(ImageFileError) -> [UInt8] {
    let content = try read(path, rank: 1, accepting: [.byte])
    return Array(content.bytes[content.start...])
  }

  private static func read(
    _ path: String, rank: Int, accepting: [ElementType]
  ) throws(ImageFileError) -> (type: ElementType, sizes: [Int], bytes: [UInt8], start: Int) {
    var bytes = try InputFile.read(path: path, limit: maximumFileBytes)
    let start = 4 + 4 * rank
    let gzip = bytes.starts(with: GzipStream.magic) ? GzipStream(path: path, bytes: bytes) : nil
    let header = try gzip?.inflate(first: start) ?? Array(bytes.prefix(start))
    guard header.count == start, header[0] == 0, header[1] == 0,
      let type = ElementType(rawValue: header[2]), accepting.contains(type), header[3] == rank
    else {
      throw bad(
        path, "it is no IDX file of rank \(rank) with bytes\(rank == 3 ? " or floats" : "")")
    }
    let sizes = (0..<rank).map { Int(bigEndian(header[...], at: 4 + 4 * $0)) }
    var total = type.size
    for size in sizes {
      // Sizes are below 2³², and the limit stops the product long before it overflows.
      total *= size
      guard total <= maximumFileBytes else {
        throw bad(path, "its header claims more than \(maximumFileBytes) bytes")
      }
      if size == 0 { break }
    }
    total += start
    if let gzip {
      bytes = try gzip.inflateWhole(count: total)
    } else if bytes.count != total {
      throw bad(path, "its header claims \(total) bytes but it has \(bytes.count)")
    }
    return (type, sizes, bytes, start)
  }

  private static func bigEndian(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt32 {
    bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func bad(_ path: String, _ reason: String) -> ImageFileError {
    .badData(path: path, reason: reason)
  }
}
