import Diagnostics
import Foundation
import ImageFiles
import Inversion
import Problems
import Randomness
import Tensors
import Training
import Workers

/// How well scores tell a model's own kind of pictures from others.
public struct OutlierReport: Sendable {
  /// The other set, as it was named, and its number of pictures.
  public let name: String
  public let count: Int
  /// Of each score, that of a model's own kind being the larger; no `marginal` where none was asked for.
  public let areas: [PictureScore: ROCArea]

  package init(name: String, own: PictureScores, other: PictureScores) {
    self.name = name
    count = other.flow.count
    var areas: [PictureScore: ROCArea] = [:]
    for score in PictureScore.allCases where !own[score].isEmpty && !other[score].isEmpty {
      areas[score] = ROCArea(
        inside: own[score], outside: other[score],
        key: RandomKey(seed: 1).child("outliers").child(areas.count))
    }
    self.areas = areas
  }

  package var json: JSONText {
    let values = PictureScore.allCases.map { score in
      (key: score.rawValue, value: JSONText.optional(areas[score]?.value))
    }
    let errors = PictureScore.allCases.map { score in
      (key: score.rawValue + "_error", value: JSONText.optional(areas[score]?.error))
    }
    return .object(values + errors + [("count", .integer(count))])
  }

  /// A table with a row for each set; nothing without one.
  package static func table(_ reports: [OutlierReport]) -> String {
    guard !reports.isEmpty else { return "" }
    let width = max(reports.map(\.name.count).max() ?? 0, 7)
    func row(_ name: String, _ cells: [String]) -> String {
      name.padding(toLength: width, withPad: " ", startingAt: 0) + "  "
        + cells.map { $0.padding(toLength: 15, withPad: " ", startingAt: 0) }.joined(separator: " ")
        .trimmingCharacters(in: .whitespaces) + "\n"
    }
    return "outliers: AUROC of four scores\n"
      + row("against", ["flow", "reconstruction", "sum", "marginal"])
      + reports.map { report in
        row(
          report.name,
          PictureScore.allCases.map { score in
            report.areas[score].map { String(format: "%.4f ± %.4f", $0.value, $0.error) } ?? "–"
          })
      }.joined()
  }
}

/// What `evaluate` measures of outliers and of ln p(x).
public struct OutlierOptions: Sendable, Equatable {
  /// Names of sets of pictures that are not of the model's kind: as for `evaluate`, or a flip of its own.
  public var against: [String]
  /// The first pictures of each set that get ln p(x); 0 for none.
  public var marginalPictures: Int

  public static let usualMarginalPictures = 500

  public init(against: [String] = [], marginalPictures: Int = usualMarginalPictures) {
    self.against = against
    self.marginalPictures = marginalPictures
  }

  /// The sets of `against`, beside `own` pictures.
  /// - Throws: `PipelineError` or `ImageFileError` for what is missing or of another size.
  package func sets(_ own: ImageSet, model: PAEModel) throws -> [(
    name: String, images: any ImageSource
  )] {
    guard marginalPictures >= 0 else {
      throw PipelineError.usage("--pictures must not be negative")
    }
    guard Set(against).count == against.count else {
      throw PipelineError.usage("--against names a set twice")
    }
    return try against.map { name in
      if let direction = FlippedImages.Direction(rawValue: name) {
        return (name, FlippedImages(base: own, direction: direction))
      }
      let images = try DatasetLocator.images([name], part: .test)
      guard images.shape == model.imageShape else {
        throw PipelineError.data(
          "the pictures of \(name) are \(images.shape) but the model '\(model.description.name)' "
            + "paints \(model.imageShape)")
      }
      return (name, images)
    }
  }
}
