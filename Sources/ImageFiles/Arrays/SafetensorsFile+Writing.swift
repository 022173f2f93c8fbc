extension SafetensorsFile {
  /// The bytes of a file, the same for the same content: metadata sorted by name, then the tensors
  /// in their order with F64 before F32 (so that all bytes are aligned), the header padded with
  /// spaces to a multiple of 8.
  ///
  /// - Precondition: names are distinct, none is `__metadata__`, the header is ≤ 1 MiB.
  public static func encode(_ content: Safetensors) -> [UInt8] {
    let names = content.tensors.map(\.name)
    precondition(Set(names).count == names.count, "a tensor name occurs twice in \(names)")
    precondition(!names.contains("__metadata__"), "__metadata__ is no tensor name")
    var members: [String] = []
    if !content.metadata.isEmpty {
      let pairs = content.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { StrictJSON.quoted($0.key) + ":" + StrictJSON.quoted($0.value) }
      members.append("\"__metadata__\":{" + pairs.joined(separator: ",") + "}")
    }
    var data: [UInt8] = []
    for tensor in content.tensors.filter(\.isDouble) + content.tensors.filter({ !$0.isDouble }) {
      let begin = data.count
      switch tensor.values {
      case .float32(let values):
        data.reserveCapacity(begin + 4 * values.count)
        for value in values { append(value.bitPattern.littleEndian, to: &data) }
      case .float64(let values):
        data.reserveCapacity(begin + 8 * values.count)
        for value in values { append(value.bitPattern.littleEndian, to: &data) }
      }
      let shape = tensor.shape.extents.map(String.init).joined(separator: ",")
      members.append(
        StrictJSON.quoted(tensor.name)
          + ":{\"dtype\":\"\(tensor.isDouble ? "F64" : "F32")\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(data.count)]}")
    }
    var header = Array(("{" + members.joined(separator: ",") + "}").utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    precondition(header.count <= maximumHeaderBytes, "the header is longer than a reader accepts")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + data.count)
    append(UInt64(header.count).littleEndian, to: &bytes)
    return bytes + header + data
  }

  /// Writes a file whole or not at all (`AtomicFile`).
  public static func write(
    _ content: Safetensors, to path: String, overwrite: Bool = false
  ) throws(ImageFileError) {
    try AtomicFile.write(encode(content), to: path, overwrite: overwrite)
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }
}

extension Safetensors.NamedTensor {
  fileprivate var isDouble: Bool {
    if case .float64 = values { true } else { false }
  }
}
