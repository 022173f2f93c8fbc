/// What stands before the elements of a .npy file; nothing in it is trusted.
struct NPYHeader {
  /// What one element is: its kind, its bytes and their order.
  struct ElementType: Equatable, CustomStringConvertible {
    enum Kind: Character {
      case bool = "b"
      case signed = "i"
      case unsigned = "u"
      case float = "f"
      case complex = "c"
    }

    let kind: Kind
    /// Bytes of one element.
    let size: Int
    let isBigEndian: Bool

    /// Reads NumPy's spelling: an order (< little, > big, = the machine's, | none), a kind, a size.
    /// - Returns: nil for a type that cannot be read.
    init?(_ text: String) {
      let characters = Array(text)
      guard characters.count >= 3, "<>|=".contains(characters[0]),
        let kind = Kind(rawValue: characters[1]), let size = Int(String(characters[2...])),
        Self.sizes(kind).contains(size), size == 1 || characters[0] != "|"
      else { return nil }
      (self.kind, self.size, isBigEndian) = (kind, size, characters[0] == ">")
    }

    private static func sizes(_ kind: Kind) -> [Int] {
      switch kind {
      case .bool: [1]
      case .signed, .unsigned: [1, 2, 4, 8]
      case .float: [2, 4, 8]
      case .complex: [8, 16]
      }
    }

    /// The largest number of the type, which stands for white; nil for floats and complex numbers.
    var largest: Double? {
      switch kind {
      case .bool: 1
      case .signed: Double(Int64.max >> Int64(64 - 8 * size))
      case .unsigned: Double(UInt64.max >> UInt64(64 - 8 * size))
      case .float, .complex: nil
      }
    }

    /// NumPy's word for it, e.g. uint16.
    var description: String {
      let word =
        switch kind {
        case .bool: "bool"
        case .signed: "int"
        case .unsigned: "uint"
        case .float: "float"
        case .complex: "complex"
        }
      return kind == .bool ? word : "\(word)\(8 * size)"
    }
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  static let maximumRank = 3
  /// The longest dictionary accepted, in bytes: what version 1.0 can count.
  static let maximumBytes = 1 << 16

  let elementType: ElementType
  let extents: [Int]
  /// Whether the first index runs fastest.
  let isFortranOrder: Bool
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
    guard let type = ElementType(fields.type) else {
      throw .badData(
        path: source,
        reason:
          "its element type is \(fields.type); it must be a bool, an integer of 1 to 8 bytes, "
          + "a float of 2, 4 or 8 or a complex number of 8 or 16")
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
    isFortranOrder = fields.isFortranOrder
    dataBytes = needed
  }

  /// Where the dictionary lies in the file.
  private static func dictionary(
    _ bytes: [UInt8], _ source: String
  ) throws(ImageFileError) -> Range<Int> {
    guard bytes.count >= 10, bytes.starts(with: magic) else {
      throw .badData(
        path: source,
        reason: "it is \(FileFormat.described(bytes)), no .npy file; write it with numpy.save")
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
