/// Something that the user should know of a result: a line on stderr, an entry of the report.
public struct Warning: Sendable, Equatable {
  /// One line.
  public let text: String
  /// Whether it makes the answer doubtful: then nothing in the report calls it fine.
  public let isDoubt: Bool

  public init(_ text: String, isDoubt: Bool = false) {
    (self.text, self.isDoubt) = (text, isDoubt)
  }

  package static func doubt(_ text: String) -> Warning { Warning(text, isDoubt: true) }
}
