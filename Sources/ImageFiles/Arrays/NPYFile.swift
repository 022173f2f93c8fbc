import Glibc
import Tensors

/// NumPy's .npy files (numpy.lib.format, versions 1.0 and 2.0): a magic string, the version, the
/// length of the header, a Python dictionary of type, order and shape, the elements.
public enum NPYFile {
  /// The longest file accepted, in bytes.
  static let maximumFileBytes = 1 << 31

  /// An array as read.
  public struct Content: Equatable, Sendable {
    /// At most three extents; a scalar has none.
    public let shape: Shape
    public let isComplex: Bool
    /// NumPy's word for the type of an element, e.g. uint16.
    public let typeName: String
    /// The largest number of an integer type (1 of a bool), which stands for white; nil for floats.
    public let largest: Double?
    /// Row-major; `shape.count` numbers, or twice as many, real and imaginary part in turn.
    public let values: [Double]
  }

  /// Reads an array of bools (0 or 1), integers (those of 8 bytes rounded to the nearest Double), floats
  /// or complex numbers, of either byte order, in C or Fortran order. The sizes are checked against the
  /// file before memory is taken for them.
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
        reason: "its header claims \(header.dataBytes) bytes of \(type) for the shape "
          + "(\(header.extents.map(String.init).joined(separator: ", "))) but "
          + "\(bytes.count - start) follow it")
    }
    let shape = Shape(header.extents)
    let isComplex = type.kind == .complex
    // The array owns the bytes; the loads stay inside the `dataBytes` behind `start`.
    var values = bytes.withUnsafeBytes { raw in
      elements(raw, from: start, count: shape.count * (isComplex ? 2 : 1), type: type)
    }
    if header.isFortranOrder {
      values = rowMajor(values, header.extents, width: isComplex ? 2 : 1)
    }
    if requireFinite, let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .badData(
        path: source,
        reason: nonFinite(values, first: index, header.extents, width: isComplex ? 2 : 1))
    }
    return Content(
      shape: shape, isComplex: isComplex, typeName: type.description, largest: type.largest,
      values: values)
  }

  /// Where the first element that is not finite lies, and how many there are.
  private static func nonFinite(
    _ values: [Double], first: Int, _ extents: [Int], width: Int
  ) -> String {
    var (rest, place) = (first / width, [Int]())
    for extent in extents.reversed() {
      place.insert(rest % extent, at: 0)
      rest /= extent
    }
    let count = values.count { !$0.isFinite }
    let position =
      extents.count >= 2
      ? "row \(place[place.count - 2]), column \(place[place.count - 1])"
      : "element \(first / width)"
    return "\(position) is \(values[first]); \(count) of its numbers are not finite"
  }

  /// Elements whose first index runs fastest, in the order in which the last one does.
  private static func rowMajor(_ values: [Double], _ extents: [Int], width: Int) -> [Double] {
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropFirst() {
      strides[axis] = strides[axis - 1] * extents[axis - 1]
    }
    var result: [Double] = []
    result.reserveCapacity(values.count)
    var place = [Int](repeating: 0, count: extents.count)
    for _ in 0..<values.count / width {
      let from = zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 } * width
      result += values[from..<from + width]
      for axis in extents.indices.reversed() {
        place[axis] += 1
        if place[axis] < extents[axis] { break }
        place[axis] = 0
      }
    }
    return result
  }

  /// - Precondition: `raw` holds `count` numbers behind `start`, two for each complex one.
  private static func elements(
    _ raw: UnsafeRawBufferPointer, from start: Int, count: Int, type: NPYHeader.ElementType
  ) -> [Double] {
    func load<Word: FixedWidthInteger>(_ index: Int, as _: Word.Type) -> Word {
      let offset = start + index * MemoryLayout<Word>.size
      let word = raw.loadUnaligned(fromByteOffset: offset, as: Word.self)
      return type.isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)
    }
    func numbers(_ number: (Int) -> Double) -> [Double] { (0..<count).map(number) }
    switch (type.kind, type.size) {
    case (.bool, _): return numbers { raw[start + $0] == 0 ? 0 : 1 }
    case (.unsigned, 1): return numbers { Double(raw[start + $0]) }
    case (.unsigned, 2): return numbers { Double(load($0, as: UInt16.self)) }
    case (.unsigned, 4): return numbers { Double(load($0, as: UInt32.self)) }
    case (.unsigned, _): return numbers { Double(load($0, as: UInt64.self)) }
    case (.signed, 1): return numbers { Double(Int8(bitPattern: raw[start + $0])) }
    case (.signed, 2): return numbers { Double(load($0, as: Int16.self)) }
    case (.signed, 4): return numbers { Double(load($0, as: Int32.self)) }
    case (.signed, _): return numbers { Double(load($0, as: Int64.self)) }
    case (.float, 2): return numbers { halfPrecision(load($0, as: UInt16.self)) }
    case (.float, 4), (.complex, 8):
      return numbers { Double(Float(bitPattern: load($0, as: UInt32.self))) }
    case (.float, _), (.complex, _):
      return numbers { Double(bitPattern: load($0, as: UInt64.self)) }
    }
  }

  /// IEEE 754 binary16: (−1)^s 2^(e − 15) (1 + f/1024), with e = 0 for subnormal numbers and e = 31 for
  /// infinities and NaN. Swift's own Float16 is not there on every processor.
  static func halfPrecision(_ bits: UInt16) -> Double {
    let sign: Double = bits >> 15 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    switch exponent {
    case 0: return sign * scalbn(fraction, -24)
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * scalbn(1024 + fraction, exponent - 25)
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
