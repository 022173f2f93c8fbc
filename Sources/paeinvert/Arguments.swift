import ArgumentParser
import PAEInversion
import Problems

/// What the words of a command line need beside ArgumentParser.
enum Arguments {
  /// "--sigma -1" as "--sigma=-1" (and "-n -5" as "-n=-5"): ArgumentParser takes -1 for an option, and says
  /// that the value is missing.
  static func joiningNegativeNumbers(_ words: [String]) -> [String] {
    var result: [String] = []
    for word in words {
      if let last = result.last, last.hasPrefix("-"), last.count > 1, !last.contains("="),
        last != "--", !isNegativeNumber(last), isNegativeNumber(word), !result.contains("--")
      {
        result[result.count - 1] = last + "=" + word
      } else {
        result.append(word)
      }
    }
    return result
  }

  private static func isNegativeNumber(_ word: String) -> Bool {
    guard word.hasPrefix("-"), let first = word.dropFirst().first else { return false }
    return first.isNumber || first == "." || ["-inf", "-nan"].contains(word)
  }

  /// Refuses "help nosuch", which ArgumentParser answers with the help of all.
  static func checkHelp(_ words: [String], of root: any ParsableCommand.Type) throws {
    guard words.first == "help" else { return }
    let names = root.configuration.subcommands.map { $0._commandName }
    guard let unknown = words.dropFirst().first(where: { !$0.hasPrefix("-") }),
      unknown != "help", !names.contains(unknown)
    else { return }
    let near = names.filter { editDistance($0, unknown) <= 2 }.first
    throw ValidationError(
      "there is no command '\(unknown)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
  }

  /// Why a value is invalid, as far as its spelling tells; behind ArgumentParser's own words.
  static func reason(_ line: String) -> String {
    guard line.contains("is invalid for"), let value = quoted(line) else { return "" }
    if Double(value.replacing(",", with: ".")) == nil { return "" }
    if value.contains(",") { return ": a decimal point is written '.'" }
    guard let number = Double(value) else { return "" }
    if number < 0 { return ": it must not be negative" }
    if number.rounded() != number || !value.allSatisfy(\.isNumber) {
      return ": it must be a whole number, in digits"
    }
    return ": it is too large"
  }

  /// The first text in single quotes.
  private static func quoted(_ line: String) -> String? {
    let parts = line.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count == 3 ? String(parts[1]) : nil
  }
}
