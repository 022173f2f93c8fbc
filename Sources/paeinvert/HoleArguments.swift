import ArgumentParser
import PAEInversion
import Problems

/// Which pixels are taken away, for `corrupt` and `calibrate`.
struct HoleArguments: ParsableArguments {
  @Option(help: "PNG: white = observed, black = missing.")
  var mask: String?

  @Option(
    help: ArgumentHelp(
      "Missing rows and columns, counted from 0, both ends included.", valueName: "R-R,C-C"))
  var rectangle: String?

  @Option(help: "Share of pixels that go missing at random.")
  var missing: Double?

  /// - Parameter problem: the mask of a problem file, which excludes the others.
  func hole(problem: String?) throws -> CorruptOptions.Hole {
    guard [problem != nil, mask != nil, rectangle != nil, missing != nil].count(where: { $0 }) <= 1
    else {
      throw PipelineError.usage("--mask, --rectangle and --missing exclude one another; give one")
    }
    if let rectangle { return try Self.rectangle(rectangle) }
    if let missing { return .random(fraction: missing) }
    return (mask ?? problem).map { .mask(path: $0) } ?? .none
  }

  private static func rectangle(_ text: String) throws -> CorruptOptions.Hole {
    let ranges = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    }
    guard ranges.count == 2, ranges.allSatisfy({ $0.count == 2 }),
      let top = ranges[0][0], let bottom = ranges[0][1], let left = ranges[1][0],
      let right = ranges[1][1], top <= bottom, left <= right
    else {
      throw PipelineError.usage(
        "--rectangle must be rows and columns such as 8-16,9-21, not '\(text)'")
    }
    return .rectangle(rows: top...bottom, columns: left...right)
  }
}
