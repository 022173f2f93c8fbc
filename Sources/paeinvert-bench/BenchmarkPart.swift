import ImageFiles

/// What can be measured, in the order in which it is: start-up first, since the peak memory that the
/// system reports of a child is at least that of its parent when it was begun.
enum BenchmarkPart: String, CaseIterable {
  case startup, ceiling, gradient, train, flow, noise
  case maskedNoise = "masked-noise"
  case posterior, preconditioning

  /// What is measured unless parts are named: what `preconditioning` counts is not speed, and takes
  /// minutes.
  static let standard = allCases.filter { $0 != .preconditioning }
}

/// What one part found.
struct BenchmarkSection {
  let part: BenchmarkPart
  /// One line above the table.
  let title: String
  let table: Table
  /// The value under the part's name in the JSON.
  let json: JSONText

  var text: String { "\n\(title)\n" + table.text }
}
