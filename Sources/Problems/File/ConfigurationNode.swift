import Yams

/// A value in a YAML file, with the place to name when it makes no sense.
struct ConfigurationNode {
  let file: String
  /// The key that leads here, such as "noise.sigma"; empty at the top.
  let name: String
  private let node: Node

  /// The most bytes of a file.
  static let largestFile = 1 << 20
  /// The most columns a line may be indented by, and the most brackets open at once: what bounds
  /// the depth that the parser recurses to.
  private static let deepestNesting = 100

  /// - Throws: `PipelineError.configuration` for text that is not YAML, nested too deeply, or with
  ///   aliases, which could make a small file expand to any size.
  init(text: String, file: String) throws {
    self.file = file
    name = ""
    try Self.checkNesting(text, file: file)
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch let error as YamlError {
      throw PipelineError.configuration(file + Self.describe(error))
    }
    guard let root else { throw PipelineError.configuration("\(file) is empty") }
    node = root
    var last = (line: 0, column: 0)
    try Self.refuseAliases(root, file: file, isFirst: true, after: &last)
  }

  private init(file: String, name: String, node: Node) {
    self.file = file
    self.name = name
    self.node = node
  }

  func error(_ message: String) -> PipelineError {
    let line = node.mark.map { ", line \($0.line)" } ?? ""
    return .configuration("\(file)\(line): \(name.isEmpty ? "" : name + " ")\(message)")
  }

  /// The members of a mapping, all of which must be among `keys`.
  func members(_ keys: [String]) throws -> [String: ConfigurationNode] {
    guard let mapping = node.mapping else {
      throw error("must hold keys: " + keys.joined(separator: ", "))
    }
    var members: [String: ConfigurationNode] = [:]
    for (key, value) in mapping {
      guard let text = key.string else { throw error("has a key that is no text") }
      guard keys.contains(text) else {
        let nearest = keys.min { editDistance($0, text) < editDistance($1, text) }
        let line = key.mark.map { ", line \($0.line)" } ?? ""
        let place = name.isEmpty ? "" : " in \(name)"
        throw PipelineError.configuration(
          "\(file)\(line): unknown key '\(text)'\(place)"
            + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
      }
      members[text] = ConfigurationNode(
        file: file, name: name.isEmpty ? text : name + "." + text, node: value)
    }
    return members
  }

  var isMapping: Bool { node.mapping != nil }

  /// The elements of a sequence; a value that is none counts as a sequence of one.
  var elements: [ConfigurationNode] {
    guard let sequence = node.sequence else { return [self] }
    return sequence.enumerated().map {
      ConfigurationNode(file: file, name: "\(name)[\($0.offset + 1)]", node: $0.element)
    }
  }

  func string() throws -> String {
    guard let scalar = node.scalar, !scalar.string.isEmpty else { throw error("must be a text") }
    return scalar.string
  }

  func number() throws -> Double {
    guard let text = node.scalar?.string, let value = Double(text), value.isFinite else {
      throw error("must be a number")
    }
    return value
  }

  func integer<T: FixedWidthInteger>(_ type: T.Type = Int.self) throws -> T {
    guard let text = node.scalar?.string, let value = T(text) else {
      throw error("must be a whole number")
    }
    return value
  }

  func boolean() throws -> Bool {
    switch node.scalar?.string {
    case "true", "yes": return true
    case "false", "no": return false
    default: throw error("must be true or false")
    }
  }

  /// One of the cases of an enumeration.
  func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type) throws -> T
  where T.RawValue == String {
    guard let text = node.scalar?.string, let value = T(rawValue: text) else {
      throw error("must be one of " + T.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  private static func checkNesting(_ text: String, file: String) throws(PipelineError) {
    var (brackets, indentation, line) = (0, 0, 1)
    var isLeading = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\n"):
        (line, indentation, isLeading) = (line + 1, 0, true)
      case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
        if isLeading { indentation += 1 }
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        (brackets, isLeading) = (brackets + 1, false)
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        (brackets, isLeading) = (max(0, brackets - 1), false)
      default: isLeading = false
      }
      guard brackets <= deepestNesting, indentation <= deepestNesting else {
        throw .configuration("\(file), line \(line): nested too deeply")
      }
    }
  }

  /// An alias stands for a node that was written earlier and keeps that place: it does not lie behind
  /// what comes before it. Only the first member of a collection begins where the collection does.
  private static func refuseAliases(
    _ node: Node, file: String, isFirst: Bool, after last: inout (line: Int, column: Int)
  ) throws(PipelineError) {
    if let mark = node.mark {
      let place = (mark.line, mark.column)
      guard place > last || isFirst && place == last else {
        throw .configuration(
          "\(file), line \(last.line): aliases are not supported; write the value out")
      }
      last = place
    }
    switch node {
    case .mapping(let mapping):
      for (index, (key, value)) in mapping.enumerated() {
        try refuseAliases(key, file: file, isFirst: index == 0, after: &last)
        try refuseAliases(value, file: file, isFirst: false, after: &last)
      }
    case .sequence(let sequence):
      for (index, element) in sequence.enumerated() {
        try refuseAliases(element, file: file, isFirst: index == 0, after: &last)
      }
    default: break
    }
  }

  /// What the parser says, on one line.
  private static func describe(_ error: YamlError) -> String {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let before = context.map { $0.text + ", " } ?? ""
      return ", line \(mark.line): \(before)\(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = Set(duplicates).sorted().map { "'\($0)'" }.joined(separator: ", ")
      return ", line \(context.mark.line): the key \(names) is there more than once"
    case .reader(let problem, _, _, _): return ": \(problem)"
    default: return ": it is not YAML"
    }
  }
}

/// Levenshtein's distance.
public func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for i in a.indices {
    var previous = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substitution = previous + (a[i] == b[j] ? 0 : 1)
      previous = row[j + 1]
      row[j + 1] = min(substitution, row[j] + 1, previous + 1)
    }
  }
  return row[b.count]
}
