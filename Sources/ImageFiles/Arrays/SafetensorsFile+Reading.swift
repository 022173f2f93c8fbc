import Tensors

/// Safetensors files (https://huggingface.co/docs/safetensors): an 8-byte little-endian header
/// length N, N bytes of JSON, the tensors' little-endian bytes. Only F32 and F64 are read.
public enum SafetensorsFile {
  /// The longest header accepted, in bytes.
  public static let maximumHeaderBytes = 1 << 20
  /// The longest file accepted, in bytes.
  public static let maximumFileBytes = 1 << 32

  /// Reads a whole file, trusting nothing in it.
  ///
  /// - Parameter requireFinite: refuse NaN and infinities.
  /// - Throws: `.missing`; `.badData` when the header is too long, is not strict JSON, names a
  ///   tensor twice or a dtype other than F32 and F64, when offsets leave gaps, overlap, or do not
  ///   end with the file, when a shape does not fit its bytes, or a value is not finite.
  public static func read(
    path: String, requireFinite: Bool = true
  ) throws(ImageFileError) -> Safetensors {
    let bytes = try InputFile.read(path: path, limit: maximumFileBytes)
    return try decode(bytes, source: path, requireFinite: requireFinite)
  }

  /// As `read(path:)`, from memory; `source` stands in messages.
  public static func decode(
    _ bytes: [UInt8], source: String = "safetensors", requireFinite: Bool = true
  ) throws(ImageFileError) -> Safetensors {
    let decoder = SafetensorsDecoder(bytes: bytes, source: source, requireFinite: requireFinite)
    return try decoder.decode()
  }
}

private struct SafetensorsDecoder {
  /// One entry of the header; `begin..<end` are offsets behind the header.
  package struct Entry {
    let name: String
    let isDouble: Bool
    let shape: Shape
    let begin: Int, end: Int
  }

  let bytes: [UInt8]
  let source: String
  let requireFinite: Bool

  func decode() throws(ImageFileError) -> Safetensors {
    if let name = FileFormat.name(of: bytes), name != FileFormat.safetensors {
      throw bad("it is \(name), not a model or another safetensors file")
    }
    guard bytes.count >= 8 else { throw bad("it is too short for a safetensors file") }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= SafetensorsFile.maximumHeaderBytes else {
      throw bad(
        "its header length \(length) is over \(SafetensorsFile.maximumHeaderBytes) bytes: it is "
          + "damaged, or no safetensors file")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else { throw bad("its header does not end inside the file") }
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for member in try header(bytes[8..<start]) {
      if member.name == "__metadata__" {
        metadata = try strings(member.value)
      } else {
        entries.append(try entry(member))
      }
    }
    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    try checkLayout(entries, dataBytes: bytes.count - start)
    var tensors: [Safetensors.NamedTensor] = []
    for entry in entries { tensors.append(try tensor(entry, start)) }
    return Safetensors(metadata: metadata, tensors: tensors, source: source)
  }

  private func header(_ text: ArraySlice<UInt8>) throws(ImageFileError) -> [StrictJSON.Member] {
    do throws(StrictJSON.Failure) {
      guard text.first == UInt8(ascii: "{"), case .object(let members) = try StrictJSON.parse(text)
      else { throw .init(reason: "it is not an object", offset: 0) }
      return members
    } catch {
      throw bad("its header is not strict JSON: \(error.reason) at byte \(error.offset)")
    }
  }

  private func strings(_ value: StrictJSON) throws(ImageFileError) -> [String: String] {
    guard case .object(let members) = value else { throw bad("its __metadata__ is no object") }
    var result: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else {
        throw bad("its __metadata__ has a value that is no string: \(member.name)")
      }
      result[member.name] = text
    }
    return result
  }

  private func entry(_ member: StrictJSON.Member) throws(ImageFileError) -> Entry {
    let name = member.name
    guard case .object(let fields) = member.value, fields.count == 3,
      case .string(let type)? = fields.first(where: { $0.name == "dtype" })?.value,
      case .array(let extents)? = fields.first(where: { $0.name == "shape" })?.value,
      case .array(let offsets)? = fields.first(where: { $0.name == "data_offsets" })?.value
    else { throw bad("the tensor \(name) is not {dtype, shape, data_offsets}") }
    guard type == "F32" || type == "F64" else {
      throw bad("the tensor \(name) has dtype \(type); only F32 and F64 can be read")
    }
    let sizes = extents.compactMap(\.natural), range = offsets.compactMap(\.natural)
    guard sizes.count == extents.count, range.count == 2, offsets.count == 2, range[0] <= range[1]
    else { throw bad("the tensor \(name) has sizes or offsets that are no natural numbers") }
    // Checked here because Shape takes an overflow for a mistake of its caller. Zeros come last in
    // the product, so that an overflow is seen whatever the order of the extents.
    var bytesNeeded = type == "F32" ? 4 : 8
    for size in sizes.sorted(by: >) {
      let (product, overflow) = bytesNeeded.multipliedReportingOverflow(by: size)
      guard !overflow else { throw bad("the tensor \(name) has a shape too large to count") }
      bytesNeeded = product
    }
    guard bytesNeeded == range[1] - range[0] else {
      throw bad("the tensor \(name) of shape \(Shape(sizes)) does not fill its byte range")
    }
    return Entry(
      name: name, isDouble: type == "F64", shape: Shape(sizes), begin: range[0], end: range[1])
  }

  private func checkLayout(_ entries: [Entry], dataBytes: Int) throws(ImageFileError) {
    var end = 0
    for entry in entries {
      guard entry.begin == end else {
        throw bad("the bytes of the tensor \(entry.name) leave a gap or overlap another's")
      }
      end = entry.end
    }
    guard end == dataBytes else {
      throw bad("its tensors need \(end) bytes but \(dataBytes) follow the header")
    }
  }

  private func tensor(
    _ entry: Entry, _ start: Int
  ) throws(ImageFileError) -> Safetensors.NamedTensor {
    let values: Safetensors.Values
    let finite: Bool
    // The array owns the bytes; the loads stay inside entry.begin..<entry.end, which was checked.
    if entry.isDouble {
      let doubles = bytes.withUnsafeBytes { raw in
        (0..<entry.shape.count).map {
          let bits = raw.loadUnaligned(
            fromByteOffset: start + entry.begin + 8 * $0, as: UInt64.self)
          return Double(bitPattern: UInt64(littleEndian: bits))
        }
      }
      finite = doubles.allSatisfy(\.isFinite)
      values = .float64(doubles)
    } else {
      let floats = bytes.withUnsafeBytes { raw in
        (0..<entry.shape.count).map {
          let bits = raw.loadUnaligned(
            fromByteOffset: start + entry.begin + 4 * $0, as: UInt32.self)
          return Float(bitPattern: UInt32(littleEndian: bits))
        }
      }
      finite = floats.allSatisfy(\.isFinite)
      values = .float32(floats)
    }
    guard finite || !requireFinite else {
      throw bad("the tensor \(entry.name) holds values that are not finite")
    }
    return .init(name: entry.name, shape: entry.shape, values: values)
  }

  private func bad(_ reason: String) -> ImageFileError { .badData(path: source, reason: reason) }
}
