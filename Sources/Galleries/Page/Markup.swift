import Foundation

/// A piece of a page that is well-formed HTML and XML whatever text goes into it.
package indirect enum Markup: Sendable, Equatable {
  case element(String, [Attribute], [Markup])
  case text(String)

  package struct Attribute: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  /// An element with attributes in the order given.
  package static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: [Markup] = []
  ) -> Markup {
    .element(name, attributes.map { Attribute(name: $0.key, value: $0.value) }, content)
  }

  /// An element that holds text alone.
  package static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String
  ) -> Markup {
    tag(name, attributes, [.text(text)])
  }

  /// HTML has no end tag for these; all others need one.
  private static let void: Set<String> = ["img", "meta", "br"]

  package var rendered: String {
    var result = ""
    render(into: &result)
    return result
  }

  private func render(into result: inout String) {
    switch self {
    case .text(let text): result += Self.escaped(text)
    case .element(let name, let attributes, let content):
      result += "<" + name
      for attribute in attributes {
        result += " \(attribute.name)=\"\(Self.escaped(attribute.value))\""
      }
      if Self.void.contains(name) {
        result += "/>"
        return
      }
      result += ">"
      for piece in content { piece.render(into: &result) }
      result += "</\(name)>"
    }
  }

  /// The characters of markup as references; those that XML has none for become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;".unicodeScalars
      case "<": result += "&lt;".unicodeScalars
      case ">": result += "&gt;".unicodeScalars
      case "\"": result += "&quot;".unicodeScalars
      case "\t", "\n", "\r": result.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}":
        result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
