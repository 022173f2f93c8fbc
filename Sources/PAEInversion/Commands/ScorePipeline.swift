import Foundation
import ImageFiles
import Inversion
import Judging
import Problems
import Tensors
import Workers

/// How plausible one picture is under a model.
public struct ScoreReport: Sendable {
  public enum Verdict: String, Sendable {
    case inFamily = "in-family"
    case doubtful
    case outOfFamily = "out-of-family"
  }

  public let path: String
  /// Nats.
  public let values: [PictureScore: Double]
  /// The per cent of held-out training pictures that score less; nil where the model file has none.
  public let percentiles: [PictureScore: Double]?
  /// Standard error of ln p(x), nats, and k̂ of its importance weights.
  public let marginalError: Double
  public let marginalShape: Double

  /// Below these percentiles a picture is out-of-family, or doubtful: as few of the model's own kind are.
  static let outOfFamily = 1.0
  static let doubtful = 5.0
  /// The score that decides.
  public static let deciding = PictureScore.flow

  /// Of the deciding score.
  public var percentile: Double? { percentiles?[Self.deciding] }

  public var verdict: Verdict? {
    percentile.map {
      $0 < Self.outOfFamily ? .outOfFamily : $0 < Self.doubtful ? .doubtful : .inFamily
    }
  }

  init(path: String, scores: PictureScores, index: Int, reference: ScoreQuantiles?) {
    self.path = path
    let values = Dictionary(
      uniqueKeysWithValues: PictureScore.allCases.map { ($0, scores[$0][index]) })
    self.values = values
    percentiles = reference.map { reference in
      Dictionary(
        uniqueKeysWithValues: values.map { ($0, reference.percentile(of: $1, $0)) })
    }
    marginalError = scores.marginal[index].error
    marginalShape = scores.marginal[index].shape
  }

  public var json: JSONText {
    .object(
      [("path", .string(path))]
        + PictureScore.allCases.map { ($0.rawValue, .optional(values[$0])) }
        + [
          ("marginal_error", .number(marginalError)), ("pareto_k", .number(marginalShape)),
          (
            "percentiles",
            percentiles.map { percentiles in
              .object(
                PictureScore.allCases.map { ($0.rawValue, .optional(percentiles[$0])) })
            } ?? .null
          ), ("percentile", .optional(percentile)),
          ("verdict", verdict.map { .string($0.rawValue) } ?? .null),
        ])
  }

  /// A table with a row for each picture.
  public static func table(_ reports: [ScoreReport]) -> String {
    let width = max(reports.map(\.path.count).max() ?? 0, 7)
    let header = PictureScore.allCases.map(\.rawValue)
    let cells = reports.map { report in
      PictureScore.allCases.map { score in
        String(format: "%.1f", report.values[score] ?? .nan)
          + (report.percentiles.map { String(format: " (%.0f %%)", $0[score] ?? 0) } ?? "")
      }
    }
    let widths = header.indices.map { column in
      max(14, ([header] + cells).map { $0[column].count }.max() ?? 0)
    }
    func row(_ name: String, _ cells: [String], _ verdict: String) -> String {
      let columns = zip(cells, widths).map { cell, width in
        "  " + String(repeating: " ", count: width - cell.count) + cell
      }
      return
        (name.padding(toLength: width, withPad: " ", startingAt: 0) + columns.joined() + "  "
        + verdict).trimmingCharacters(in: .whitespaces) + "\n"
    }
    return row("picture", header, "verdict")
      + zip(reports, cells).map { row($0.path, $1, $0.verdict?.rawValue ?? "") }.joined()
  }
}

/// Scores of single pictures.
public enum ScorePipeline {
  /// - Parameters:
  ///   - paths: PNGs, NumPy arrays, `-` for standard input, or test pictures (`fashion-mnist:12`).
  ///   - warn: called with one-line warnings.
  /// - Returns: one report for each, in their order.
  public static func run(
    _ paths: [String], model name: String, threads: Int, warn: (String) -> Void,
    progress: (Int) -> Bool = { _ in true }
  ) throws -> [ScoreReport] {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    guard paths.count(where: { $0 == "-" }) <= 1 else {
      throw PipelineError.usage("standard input can be read once")
    }
    let model = try PAEModel.read(path: try ModelLocator.path(of: name))
    let forward = try ForwardModel([], on: model.imageShape)
    var values: [Float] = []
    for path in paths {
      let tensor = try DatasetLocator.testPicture(path)?.tensor
      if let tensor {
        guard tensor.shape == model.imageShape else {
          throw PipelineError.data(
            "\(path) is \(tensor.shape) but the model '\(model.description.name)' paints "
              + "\(model.imageShape)")
        }
        values += tensor.values
        continue
      }
      let data = try MeasuredData(path, forward: forward, model: model)
      data.warnings.forEach { warn($0.text) }
      values += data.values
    }
    let reference = model.description.scores
    if reference == nil {
      warn(
        "the model '\(model.description.name)' holds no scores of its training pictures, so there are no "
          + "percentiles: measure them with paeinvert train DATASET -o NEW --refit-residual \(name), "
          + "DATASET being what it was trained on")
    }
    let images = ImageSet(
      shape: model.imageShape, count: paths.count, storage: .floats(values))
    let scores = try PictureScores(
      images, model: model, marginalCount: paths.count, pool: WorkerPool(threads: threads),
      progress: progress)
    return paths.indices.map {
      ScoreReport(path: paths[$0], scores: scores, index: $0, reference: reference)
    }
  }
}
