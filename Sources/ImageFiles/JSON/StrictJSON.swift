/// A JSON value (RFC 8259) read strictly: UTF-8, no duplicate names, no trailing text, bounded depth.
/// Foundation's reader silently keeps one of two equal names, which a model file must not have.
package indirect enum StrictJSON: Equatable {
  case null
  case bool(Bool)
  /// The number's own text, so that large integers stay exact.
  case number(String)
  case string(String)
  case array([StrictJSON])
  /// Members in file order.
  case object([Member])

  package struct Member: Equatable {
    package let name: String
    package let value: StrictJSON
  }

  /// What is wrong and at which byte.
  package struct Failure: Error, Equatable {
    package let reason: String
    package let offset: Int
  }

  package static func parse(_ bytes: ArraySlice<UInt8>) throws(Failure) -> StrictJSON {
    var parser = StrictJSONParser(bytes: Array(bytes))
    return try parser.document()
  }

  /// The value as a non-negative integer written without sign, fraction or exponent.
  package var natural: Int? {
    guard case .number(let text) = self, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    return Int(text)
  }

  /// `text` as a JSON string with its quotes.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 32:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// Recursive descent over the bytes, one method a production of RFC 8259.
private struct StrictJSONParser {
  static let maximumDepth = 32

  let bytes: [UInt8]
  var at = 0

  mutating func document() throws(StrictJSON.Failure) -> StrictJSON {
    let value = try value(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw failure("text after the value") }
    return value
  }

  private mutating func value(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
    guard depth < Self.maximumDepth else { throw failure("nested too deep") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
    at += 1
    var members: [StrictJSON.Member] = []
    var names: Set<String> = []
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("a name is expected") }
      let name = try string()
      guard names.insert(name).inserted else { throw failure("the name \"\(name)\" occurs twice") }
      guard take(":") else { throw failure("\":\" is expected") }
      members.append(.init(name: name, value: try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw failure("\"}\" is expected") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
    at += 1
    var elements: [StrictJSON] = []
    if take("]") { return .array([]) }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw failure("\"]\" is expected") }
    return .array(elements)
  }

  private mutating func string() throws(StrictJSON.Failure) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 32 else { throw failure("a control character in a string") }
      at += 1
      if byte == UInt8(ascii: "\\") {
        text += Array(String(Character(try escape())).utf8)
      } else {
        text.append(byte)
      }
    }
    guard peek != nil else { throw failure("a string does not end") }
    at += 1
    guard let string = String(validating: text, as: UTF8.self) else {
      throw failure("a string is not UTF-8")
    }
    return string
  }

  private mutating func escape() throws(StrictJSON.Failure) -> Unicode.Scalar {
    guard let byte = peek else { throw failure("a string does not end") }
    at += 1
    switch byte {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"):
      let unit = try hexUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A high surrogate: RFC 8259, section 7, wants the low one next.
      guard unit < 0xDC00, peek == UInt8(ascii: "\\"), at + 1 < bytes.count,
        bytes[at + 1] == UInt8(ascii: "u")
      else { throw failure("half a surrogate pair") }
      at += 2
      let low = try hexUnit()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
      return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))!
    default: throw failure("an unknown escape")
    }
  }

  private mutating func hexUnit() throws(StrictJSON.Failure) -> UInt32 {
    guard at + 4 <= bytes.count else { throw failure("a short \\u escape") }
    var unit: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 128 else {
        throw failure("a \\u escape without four digits")
      }
      unit = unit << 4 | UInt32(digit)
    }
    at += 4
    return unit
  }

  private mutating func number() throws(StrictJSON.Failure) -> StrictJSON {
    let start = at
    _ = takeByte("-")
    let leadingZero = peek == UInt8(ascii: "0")
    let whole = digits()
    guard whole > 0, !(leadingZero && whole > 1) else { throw failure("a value is expected") }
    if takeByte("."), digits() == 0 { throw failure("digits are expected") }
    if takeByte("e") || takeByte("E") {
      if !takeByte("+") { _ = takeByte("-") }
      guard digits() > 0 else { throw failure("digits are expected") }
    }
    return .number(String(decoding: bytes[start..<at], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = at
    while let byte = peek, (48...57).contains(byte) { at += 1 }
    return at - start
  }

  private mutating func word(
    _ text: String, _ value: StrictJSON
  ) throws(StrictJSON.Failure) -> StrictJSON {
    guard bytes[at...].starts(with: text.utf8) else { throw failure("a value is expected") }
    at += text.utf8.count
    return value
  }

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 32 || (9...10).contains(byte) || byte == 13 { at += 1 }
  }

  /// Skips white space and takes the character if it is next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    return takeByte(character)
  }

  private mutating func takeByte(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private func failure(_ reason: String) -> StrictJSON.Failure { .init(reason: reason, offset: at) }
}
