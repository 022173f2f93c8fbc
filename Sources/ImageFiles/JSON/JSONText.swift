import Foundation

/// JSON to be written: keys keep their order, numbers that are not finite become null.
public indirect enum JSONText: Sendable, Equatable {
  case object([(key: String, value: JSONText)])
  case array([JSONText])
  case string(String)
  case number(Double)
  case integer(Int)
  case bool(Bool)
  case null

  /// null for nil.
  public static func optional(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }

  /// Indented by two spaces, with a newline at the end.
  public var text: String { rendered(indent: "") + "\n" }

  private func rendered(indent: String) -> String {
    let inner = indent + "  "
    switch self {
    case .object(let members) where members.isEmpty: return "{}"
    case .object(let members):
      let lines = members.map {
        "\(inner)\(StrictJSON.quoted($0.key)): \($0.value.rendered(indent: inner))"
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    case .array(let values) where values.isEmpty: return "[]"
    case .array(let values):
      let lines = values.map { inner + $0.rendered(indent: inner) }
      return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
    case .string(let value): return StrictJSON.quoted(value)
    case .number(let value): return Self.shown(value)
    case .integer(let value): return String(value)
    case .bool(let value): return value ? "true" : "false"
    case .null: return "null"
    }
  }

  /// Six significant digits, which every reader takes for a number; null when not finite.
  private static func shown(_ value: Double) -> String {
    value.isFinite ? String(format: "%.6g", value) : "null"
  }

  public static func == (a: JSONText, b: JSONText) -> Bool { a.text == b.text }
}
