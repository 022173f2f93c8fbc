import Tensors

/// NumPy's .npy files (numpy.lib.format, versions 1.0 and 2.0): a magic string, the version, the
/// length of the header, a Python dictionary of type, order and shape, little-endian elements.
public enum NPYFile {
  /// The longest file accepted, in bytes.
  static let maximumFileBytes = 1 << 31

  /// An array as read.
  public struct Content: Equatable, Sendable {
    /// At most three extents; a scalar has none.
    public let shape: Shape
    public let isComplex: Bool
    /// Row-major; `shape.count` numbers, or twice as many, real and imaginary part in turn.
    public let values: [Double]
  }

  /// Reads an array of <f4, <f8, <c8, <c16, |u1, |b1 (0 or 1), <i4 or <i8 (rounded to the nearest
  /// Double) in C order. The sizes are checked against the file before memory is taken for them.
  ///
  /// - Parameter requireFinite: refuse NaN and infinities.
  /// - Throws: `.missing`; `.badData` when the file is no such file, has more than three dimensions,
  ///   its shape does not match its bytes, or a value is not finite.
  public static func read(
    path: String, requireFinite: Bool = true
  ) throws(ImageFileError) -> Content {
    let bytes = try InputFile.read(path: path, limit: maximumFileBytes)
    return try decode(bytes, source: path, requireFinite: requireFinite)
  }

  /// As `read`, from memory; `source` stands in messages.
  public static func decode(
    _ bytes: [UInt8], source: String, requireFinite: Bool = true
  ) throws(ImageFileError) -> Content {
    let header = try NPYHeader(bytes, source: source)
    let (start, type) = (header.dataStart, header.elementType)
    guard header.dataBytes == bytes.count - start else {
      throw .badData(
        path: source,
        reason: "its header claims \(header.dataBytes) bytes of \(type.rawValue) for the shape "
          + "(\(header.extents.map(String.init).joined(separator: ", "))) but "
          + "\(bytes.count - start) follow it")
    }
    let shape = Shape(header.extents)
    let isComplex = type == .complex64 || type == .complex128
    // The array owns the bytes; the loads stay inside the `dataBytes` behind `start`.
    let values = bytes.withUnsafeBytes { raw in
      elements(raw, from: start, count: shape.count * (isComplex ? 2 : 1), type: type)
    }
    if requireFinite, let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .badData(
        path: source, reason: "element \(isComplex ? index / 2 : index) is not finite")
    }
    return Content(shape: shape, isComplex: isComplex, values: values)
  }

  private static func elements(
    _ raw: UnsafeRawBufferPointer, from start: Int, count: Int, type: NPYHeader.ElementType
  ) -> [Double] {
    func load<Word: FixedWidthInteger>(_ index: Int, as _: Word.Type) -> Word {
      let offset = start + index * MemoryLayout<Word>.size
      return Word(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
    return (0..<count).map { index in
      switch type {
      case .float32, .complex64: Double(Float(bitPattern: load(index, as: UInt32.self)))
      case .float64, .complex128: Double(bitPattern: load(index, as: UInt64.self))
      case .uint8: Double(raw[start + index])
      case .bool: raw[start + index] == 0 ? 0 : 1
      case .int32: Double(load(index, as: Int32.self))
      case .int64: Double(load(index, as: Int64.self))
      }
    }
  }

  /// The bytes of a version 1.0 file of <f8, or of <c16 where `isComplex`, as NumPy writes it: the
  /// elements begin at a multiple of 64 bytes.
  /// - Precondition: `shape.count` values, twice as many complex ones, and at most three extents.
  public static func encode(
    shape: Shape, values: [Double], isComplex: Bool = false
  ) -> [UInt8] {
    precondition(values.count == shape.count * (isComplex ? 2 : 1))
    precondition(shape.rank <= NPYHeader.maximumRank)
    var extents = shape.extents.map(String.init).joined(separator: ", ")
    if shape.rank == 1 { extents += "," }
    var header = Array(
      "{'descr': '\(isComplex ? "<c16" : "<f8")', 'fortran_order': False, 'shape': (\(extents)), }"
        .utf8)
    while (NPYHeader.magic.count + 4 + header.count + 1) % 64 != 0 {
      header.append(UInt8(ascii: " "))
    }
    header.append(UInt8(ascii: "\n"))
    var bytes = NPYHeader.magic + [1, 0, UInt8(header.count & 255), UInt8(header.count >> 8)]
    bytes += header
    bytes.reserveCapacity(bytes.count + 8 * values.count)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// Writes a file whole or not at all (`AtomicFile`). Precondition as `encode`.
  public static func write(
    shape: Shape, values: [Double], to path: String, overwrite: Bool = false
  ) throws(ImageFileError) {
    try AtomicFile.write(encode(shape: shape, values: values), to: path, overwrite: overwrite)
  }
}
