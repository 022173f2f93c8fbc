import Foundation
import ImageFiles
import Inversion
import Judging
import Problems
import Randomness

/// Are the error bars right: simulated truths test the sampler, held-out pictures the model.
public struct CalibrateReport: Sendable {
  public let modelName: String
  public let residualKind: SolveOptions.Residual
  /// nil when that part was not asked for, or time ran out before it.
  public let sampler: SamplerSummary?
  public let model: ModelSummary?
  /// Whether everything asked for was done; else the same command goes on where this one stopped.
  public let isComplete: Bool
  public let seconds: Double

  public var json: JSONText {
    .object([
      ("schema", .integer(1)), ("command", .string("calibrate")),
      ("model_name", .string(modelName)), ("residual", .string(residualKind.rawValue)),
      ("complete", .bool(isComplete)), ("seconds", .number(seconds)),
      ("sampler", sampler?.json ?? .null), ("model", model?.json ?? .null),
    ])
  }
}

public enum CalibratePipeline {
  /// - Parameter progress: part, done, total; returns false to stop, which throws.
  public static func run(
    _ options: CalibrateOptions, progress: (CalibrateOptions.Part, Int, Int) -> Bool
  ) throws -> CalibrateReport {
    try options.validate()
    let start = ContinuousClock().now
    let modelPath = try ModelLocator.path(of: options.solving.model)
    let model = try PAEModel.read(path: modelPath)
    let problem = try CalibrationProblem(options, model: model)
    let key = RandomKey(seed: options.solving.seed).child("calibrate")
    let sampler = options.part == .model ? nil : SamplerCalibration(problem)
    var calibration: ModelCalibration?
    if options.part != .sampler {
      let images = try DatasetLocator.images(options.datasets, part: .test)
      guard images.shape == model.imageShape else {
        throw PipelineError.data(
          "the pictures are \(images.shape) but the model '\(model.description.name)' paints "
            + "\(model.imageShape)")
      }
      guard images.count >= options.count else {
        throw PipelineError.usage(
          "-n \(options.count) is more than the \(images.count) held-out pictures")
      }
      calibration = ModelCalibration(problem, images: images, key: key.child("pictures"))
    }
    var records = try CalibrationRecords(
      path: options.output.map { $0 + ".partial.json" },
      settings: try settings(options, digest: SHA256.hexDigest(ofFile: modelPath)))
    let folder = try options.output.map {
      // What an unfinished run left there is its own.
      try OutputFolder(path: $0, overwrite: options.solving.overwrite || records.isResumed)
    }
    var isComplete = true
    func isOverTime() -> Bool {
      options.budgetMinutes.map { (ContinuousClock().now - start).inSeconds > 60 * $0 } ?? false
    }
    func fill(
      _ part: CalibrateOptions.Part, _ done: () -> Int, _ next: (Range<Int>) throws -> Void
    ) throws {
      while done() < options.count {
        if isOverTime() {
          isComplete = false
          return try records.save()
        }
        let first = done()
        guard progress(part, first, options.count) else {
          throw PipelineError("interrupted", exitCode: 130)
        }
        try next(first..<min(first + CalibrateOptions.batch, options.count))
        try records.save()
      }
    }
    if let sampler {
      try fill(.sampler, { records.sampler.count }) { range in
        records.sampler += try sampler.records(
          range, key: key.child("sampler"),
          progress: { _ in progress(.sampler, range.lowerBound, options.count) })
      }
    }
    if let calibration {
      try fill(.model, { records.model.count }) { range in
        records.model += try calibration.records(
          range, key: key.child("model"),
          progress: { _ in progress(.model, range.lowerBound, options.count) })
      }
    }
    let report = CalibrateReport(
      modelName: model.description.name, residualKind: problem.residualKind,
      sampler: records.sampler.isEmpty
        ? nil : sampler.map { SamplerSummary(records.sampler, names: $0.names) },
      model: calibration == nil || records.model.count < 2
        ? nil
        : ModelSummary(
          records.model, isConformal: options.isConformal, key: key.child("summary")),
      isComplete: isComplete, seconds: (ContinuousClock().now - start).inSeconds)
    if let folder {
      try folder.write(Array(report.json.text.utf8), to: "report.json")
      if let summary = report.sampler {
        try folder.write(Array(CalibrationPlots.ranks(summary).utf8), to: "ranks.svg")
      }
      if let summary = report.model {
        try folder.write(Array(CalibrationPlots.coverage(summary).utf8), to: "coverage.svg")
      }
      try folder.commit()
    }
    if isComplete { records.remove() }
    return report
  }

  /// All that records depend on but their number, as one line.
  private static func settings(_ options: CalibrateOptions, digest: String) throws -> String {
    var solving = options.solving
    solving.threads = 1
    solving.overwrite = false
    solving.model = digest
    return "\(PAEInvert.version) \(solving) \(options.hole) \(options.datasets)"
  }
}

/// The records so far, in a file beside the result when there is one.
private struct CalibrationRecords {
  private struct File: Codable {
    var settings: String
    var sampler: [SamplerRecord]
    var model: [CoverageRecord]
  }

  /// Whether there were records of the same settings.
  let isResumed: Bool
  private let path: String?
  private var file: File
  var sampler: [SamplerRecord] {
    get { file.sampler }
    set { file.sampler = newValue }
  }
  var model: [CoverageRecord] {
    get { file.model }
    set { file.model = newValue }
  }

  /// - Throws: `PipelineError` when the file is there and of another run.
  init(path: String?, settings: String) throws {
    self.path = path
    guard let path, FileManager.default.fileExists(atPath: path) else {
      (file, isResumed) = (File(settings: settings, sampler: [], model: []), false)
      return
    }
    guard let data = FileManager.default.contents(atPath: path),
      let found = try? JSONDecoder().decode(File.self, from: data), found.settings == settings
    else {
      throw PipelineError.data(
        "\(path) holds records of a calibration with other settings: remove it, or give another "
          + "--output")
    }
    (file, isResumed) = (found, true)
  }

  func save() throws {
    guard let path else { return }
    try AtomicFile.write(Array(JSONEncoder().encode(file)), to: path, overwrite: true)
  }

  func remove() {
    if let path { try? FileManager.default.removeItem(atPath: path) }
  }
}
