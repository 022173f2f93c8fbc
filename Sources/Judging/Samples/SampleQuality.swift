import Diagnostics
import Foundation
import ImageFiles

/// How draws of a model's prior compare with pictures that the model was not trained on.
public struct SampleQuality: Sendable {
  /// Nil where they could not be had; `notes` says why.
  public let features: FeatureQuality?
  public let memorization: Memorization?
  /// What was left out, and why.
  public let notes: [String]
  /// Draws of the prior.
  public let count: Int
  public let seed: UInt64

  package var json: JSONText {
    .object([
      ("count", .integer(count)), ("seed", .string(String(seed))),
      ("features", features?.json ?? .null), ("memorization", memorization?.json ?? .null),
      ("notes", .array(notes.map { .string($0) })),
    ])
  }

  /// Lines for people.
  package var text: String {
    (features?.text ?? "") + (memorization?.text ?? "")
      + notes.map { "left out: \($0)\n" }.joined()
  }
}

/// Sets of pictures against test pictures, as a classifier sees them.
public struct FeatureQuality: Sendable {
  /// One set of pictures.
  public struct Row: Sendable {
    public let name: Name
    public let frechet: JackknifeEstimate
    public let precision: Double
    public let recall: Double
  }

  public enum Name: String, Sendable, CaseIterable {
    /// G(u), u ~ N(0, I).
    case samples
    /// g(z), z of a full-covariance Gaussian fitted to codes of the training pictures; of the given
    /// pictures where no training pictures are known.
    case gaussianCodes = "gaussian_codes"
    /// g(e(x)) of the test pictures.
    case reconstructions
    /// Training pictures: how small a distance can be with so many pictures.
    case training

    var title: String {
      switch self {
      case .samples: "samples of the prior"
      case .gaussianCodes: "codes of a Gaussian"
      case .reconstructions: "reconstructions"
      case .training: "training pictures"
      }
    }
  }

  public let classifier: String
  public let digest: String
  /// D.
  public let dimension: Int
  /// Pictures of each set, and test pictures that they are held against.
  public let count: Int
  public let rows: [Row]
  /// The Fréchet distance of the draws to the reconstructions, which are smooth as draws are: what is left
  /// of it is the prior's own.
  public let samplesToReconstructions: JackknifeEstimate

  public subscript(name: Name) -> Row? { rows.first { $0.name == name } }

  /// The Fréchet distance of one set over that of another.
  public func ratio(_ name: Name, to other: Name) -> JackknifeEstimate? {
    guard let above = self[name]?.frechet, let below = self[other]?.frechet else { return nil }
    return above / below
  }

  var json: JSONText {
    func estimate(_ value: JackknifeEstimate?) -> JSONText {
      value.map { .object([("value", .number($0.value)), ("error", .number($0.error))]) } ?? .null
    }
    return .object([
      ("classifier", .string(classifier)), ("sha256", .string(digest)),
      ("dimension", .integer(dimension)), ("count", .integer(count)),
      (
        "frechet_distance",
        .object(
          rows.map { ($0.name.rawValue, estimate($0.frechet)) }
            + [("samples_from_reconstructions", estimate(samplesToReconstructions))])
      ),
      (
        "frechet_ratio",
        .object([
          ("samples_to_reconstructions", estimate(ratio(.samples, to: .reconstructions))),
          ("gaussian_codes_to_samples", estimate(ratio(.gaussianCodes, to: .samples))),
        ])
      ),
      ("precision", .object(rows.map { ($0.name.rawValue, .number($0.precision)) })),
      ("recall", .object(rows.map { ($0.name.rawValue, .number($0.recall)) })),
    ])
  }

  var text: String {
    var lines = [
      "against \(count) test pictures, in the \(dimension) features of \(classifier):",
      "  Fréchet distance in classifier features; precision, recall (k = \(PrecisionRecall.neighbours))",
    ]
    for row in rows {
      lines.append(
        "  " + row.name.title.padding(toLength: 22, withPad: " ", startingAt: 0)
          + String(
            format: "%9.3f ± %.3f  %.3f  %.3f", row.frechet.value, row.frechet.error, row.precision,
            row.recall))
    }
    lines.append(
      String(
        format: "  samples to reconstructions: %.3f ± %.3f", samplesToReconstructions.value,
        samplesToReconstructions.error))
    for (what, above, below) in [
      ("samples over reconstructions", Name.samples, Name.reconstructions),
      ("codes of a Gaussian over samples", Name.gaussianCodes, Name.samples),
    ] {
      if let ratio = ratio(above, to: below) {
        lines.append(String(format: "  \(what): %.2f ± %.2f", ratio.value, ratio.error))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// Whether draws repeat training pictures: Euclidean distances ‖x − y‖ over all pixels to the nearest
/// training picture y. Pictures that a decoder painted are smooth, and nearer to everything for it: so
/// draws are to be held against reconstructions of test pictures, which were not trained on either.
public struct Memorization: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    /// Median distance to the nearest training picture.
    public let median: Double
    /// The share of pictures nearer to a training picture than the 1 % quantile of the reconstructions'
    /// distances.
    public let nearShare: Double
  }

  /// Training pictures searched.
  public let training: Int
  public let samples: Row
  public let reconstructions: Row
  public let tests: Row
  /// The 1 % quantile of the reconstructions' distances.
  public let threshold: Double
  /// Of each draw its nearest training picture.
  package let nearest: [Int]

  /// Distances to the nearest training pictures of draws, reconstructions and test pictures.
  init(
    training: Int, samples: [(index: Int, distance: Double)], reconstructions: [Double],
    tests: [Double]
  ) {
    let sorted = reconstructions.sorted()
    let threshold = sorted[Int(0.01 * Double(sorted.count))]
    func row(_ distances: [Double]) -> Row {
      let sorted = distances.sorted()
      let near = sorted.count { $0 < threshold }
      return Row(
        median: sorted[sorted.count / 2], nearShare: Double(near) / Double(sorted.count))
    }
    self.training = training
    self.threshold = threshold
    self.samples = row(samples.map(\.distance))
    self.reconstructions = row(reconstructions)
    self.tests = row(tests)
    nearest = samples.map(\.index)
  }

  private var rows: [(name: String, title: String, row: Row)] {
    [
      ("samples", "samples of the prior", samples),
      ("reconstructions", "reconstructions", reconstructions), ("tests", "test pictures", tests),
    ]
  }

  var json: JSONText {
    .object(
      [("training", .integer(training)), ("threshold", .number(threshold))]
        + rows.map {
          (
            $0.name,
            .object([
              ("median_distance", .number($0.row.median)),
              ("near_share", .number($0.row.nearShare)),
            ])
          )
        })
  }

  var text: String {
    let lines = rows.map {
      "  " + $0.title.padding(toLength: 22, withPad: " ", startingAt: 0)
        + String(format: "%9.3f  %5.2f %%", $0.row.median, 100 * $0.row.nearShare)
    }
    return "distance to the nearest of \(training) training pictures, median; nearer than "
      + String(format: "%.3f:\n", threshold) + lines.joined(separator: "\n") + "\n"
  }
}
