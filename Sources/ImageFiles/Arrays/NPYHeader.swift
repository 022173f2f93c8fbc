/// What stands before the elements of a .npy file; nothing in it is trusted.
struct NPYHeader {
  enum ElementType: String, CaseIterable {
    case float32 = "<f4"
    case float64 = "<f8"
    case complex64 = "<c8"
    case complex128 = "<c16"
    case uint8 = "|u1"
    case bool = "|b1"
    case int32 = "<i4"
    case int64 = "<i8"

    /// Bytes of one element.
    var size: Int {
      switch self {
      case .uint8, .bool: 1
      case .float32, .int32: 4
      case .float64, .complex64, .int64: 8
      case .complex128: 16
      }
    }
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  static let maximumRank = 3
  /// The longest dictionary accepted, in bytes: what version 1.0 can count.
  static let maximumBytes = 1 << 16

  let elementType: ElementType
  let extents: [Int]
  /// Bytes that the elements take; below 2⁶³.
  let dataBytes: Int
  /// Where the elements begin in the file.
  let dataStart: Int

  /// - Throws: `.badData` naming `source` and what is wrong.
  init(_ bytes: [UInt8], source: String) throws(ImageFileError) {
    let range = try Self.dictionary(bytes, source)
    dataStart = range.upperBound
    var scanner = NPYScanner(text: bytes[range], source: source)
    let fields = try scanner.fields()
    guard let type = ElementType(rawValue: fields.type) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw .badData(
        path: source,
        reason: "its element type is \(fields.type); it must be one of \(known)")
    }
    guard !fields.isFortranOrder else {
      throw .badData(
        path: source,
        reason: "it is in Fortran order; write it with numpy.ascontiguousarray")
    }
    guard fields.extents.count <= Self.maximumRank else {
      throw .badData(
        path: source,
        reason: "it has \(fields.extents.count) dimensions; at most \(Self.maximumRank) can be read"
      )
    }
    // Zeros come last in the product, so that an overflow is seen whatever the order.
    var needed = type.size
    for extent in fields.extents.sorted(by: >) {
      let (product, overflow) = needed.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw .badData(path: source, reason: "its shape is too large to count")
      }
      needed = product
    }
    elementType = type
    extents = fields.extents
    dataBytes = needed
  }

  /// Where the dictionary lies in the file.
  private static func dictionary(
    _ bytes: [UInt8], _ source: String
  ) throws(ImageFileError) -> Range<Int> {
    guard bytes.count >= 10, bytes.starts(with: magic) else {
      throw .badData(path: source, reason: "it is no .npy file; write it with numpy.save")
    }
    let (major, minor) = (bytes[6], bytes[7])
    guard (major == 1 || major == 2) && minor == 0 else {
      throw .badData(
        path: source, reason: "its .npy version is \(major).\(minor), not 1.0 or 2.0")
    }
    let start = major == 1 ? 10 : 12
    guard bytes.count >= start else {
      throw .badData(path: source, reason: "its header does not end inside the file")
    }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= maximumBytes else {
      throw .badData(
        path: source, reason: "its header length \(length) is over \(maximumBytes) bytes")
    }
    guard start + length <= bytes.count else {
      throw .badData(path: source, reason: "its header does not end inside the file")
    }
    return start..<start + length
  }
}
