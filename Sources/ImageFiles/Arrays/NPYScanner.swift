/// Reads the dictionary of a .npy header: the Python literal
/// {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }, keys in any order, each once.
struct NPYScanner {
  private var rest: ArraySlice<UInt8>
  private let source: String

  init(text: ArraySlice<UInt8>, source: String) {
    rest = text
    self.source = source
  }

  /// The three entries; only white space may follow the dictionary.
  mutating func fields() throws(ImageFileError) -> (
    type: String, isFortranOrder: Bool, extents: [Int]
  ) {
    var type: String?
    var isFortranOrder: Bool?
    var extents: [Int]?
    try expect("{")
    while !skip("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try elementType()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try boolean()
      case "shape" where extents == nil: extents = try tuple()
      default: throw bad("it has the unexpected entry \(key)")
      }
      if !skip(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard rest.isEmpty else { throw bad("text follows the dictionary") }
    guard let type, let isFortranOrder, let extents else {
      throw bad("descr, fortran_order or shape is missing")
    }
    return (type, isFortranOrder, extents)
  }

  private mutating func elementType() throws(ImageFileError) -> String {
    skipSpace()
    guard rest.first != UInt8(ascii: "[") else {
      throw .badData(path: source, reason: "its elements are records; write one plain array")
    }
    return try string()
  }

  /// A string in single or double quotes, without escapes.
  private mutating func string() throws(ImageFileError) -> String {
    skipSpace()
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
      let end = rest.dropFirst().firstIndex(of: quote)
    else { throw bad("a string is expected") }
    let text = rest[rest.startIndex + 1..<end]
    guard text.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else {
      throw bad("a string holds a character that has no place there")
    }
    rest = rest[(end + 1)...]
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func boolean() throws(ImageFileError) -> Bool {
    if skip("True") { return true }
    if skip("False") { return false }
    throw bad("fortran_order is neither True nor False")
  }

  /// (), (3,), (2, 3), …
  private mutating func tuple() throws(ImageFileError) -> [Int] {
    var extents: [Int] = []
    try expect("(")
    while !skip(")") {
      extents.append(try natural())
      if !skip(",") {
        // (3) is a number in parentheses, no tuple.
        guard extents.count > 1 else { throw bad("the shape is no tuple") }
        try expect(")")
        break
      }
    }
    return extents
  }

  private mutating func natural() throws(ImageFileError) -> Int {
    skipSpace()
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw bad("an extent of the shape is no natural number")
    }
    rest = rest[digits.endIndex...]
    return value
  }

  private mutating func expect(_ token: String) throws(ImageFileError) {
    if !skip(token) { throw bad("\(token) is expected") }
  }

  /// Whether `token` comes next; then it is passed.
  private mutating func skip(_ token: String) -> Bool {
    skipSpace()
    guard rest.starts(with: token.utf8) else { return false }
    rest = rest.dropFirst(token.utf8.count)
    return true
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }

  private func bad(_ reason: String) -> ImageFileError {
    .badData(path: source, reason: "its .npy header cannot be understood: \(reason)")
  }
}
