import Diagnostics
import Foundation
import ImageFiles
import Inversion
import Judging
import Maps
import Networks
import Probability
import Problems
import Randomness
import Sampling
import Solving
import Tensors
import Workers

/// From damaged pictures to posterior draws: read → posterior → modes → chains → verdict → pictures
/// → files. Several pictures share one batch; each has a result folder of its own.
public struct SolvePipeline {
  private let command: String
  private let options: SolveOptions
  private let modelPath: String
  private let model: PAEModel
  private let pool: WorkerPool
  private let solver: PosteriorSolver

  /// Loads the model.
  /// - Throws: `PipelineError` when an option makes no sense or the model cannot be read.
  public init(command: String, options: SolveOptions) throws {
    try options.validate()
    self.command = command
    self.options = options
    modelPath = try ModelLocator.path(of: options.model)
    model = try PAEModel.read(path: modelPath)
    pool = WorkerPool(threads: options.threads)
    solver = PosteriorSolver(model: model, options: options, pool: pool)
  }

  /// Solves the tasks and leaves each one's files in its output folder.
  /// - Parameters:
  ///   - warn: called with one-line warnings as they come up.
  ///   - progress: called about ten times a second; returns false to stop, which throws.
  /// - Returns: one report for each task.
  public func run(
    _ tasks: [SolveTask], warn: (String) -> Void, progress: (SolveProgress) -> Bool
  ) throws -> [SolveReport] {
    let start = ContinuousClock().now
    try checkMemory(pictures: tasks.count)
    // Refuse what cannot be written before the work, not after it.
    let folders = try tasks.map {
      try OutputFolder(path: $0.output, overwrite: options.overwrite)
    }
    let forward = try ForwardModel(options.operators, on: model.imageShape)
    let noise = try ResolvedNoise(options.noise, shape: forward.dataShape)
    let pictures = try tasks.map {
      try DamagedPicture(
        task: $0, options: options, model: model, forward: forward, noise: noise)
    }
    for warning in forward.warnings { warn(warning.text) }
    for picture in pictures { picture.warnings.forEach { warn($0.text) } }
    let batch = try solver.solveBatch(
      pictures, noise: noise, forward: forward, since: start, warn: warn, progress: progress)
    let judge = try SolutionJudge(batch)
    let reported = ReportedModel(model, digest: try SHA256.hexDigest(ofFile: modelPath))
    var reports: [SolveReport] = []
    for index in pictures.indices {
      guard
        progress(
          .init(
            stage: .pictures, fraction: Double(index) / Double(pictures.count), divergences: 0))
      else { throw SamplingError.cancelled }
      let solution = try InverseSolution(batch, index: index)
      let report = try SolveReport(
        command: command, model: reported, solution: solution, fit: judge.fit(of: solution),
        misfit: judge.misfit(of: solution))
      for warning in report.resultWarnings { warn(warning.text) }
      try SolutionFiles(solved: solution, report: report).write(to: folders[index])
      reports.append(report)
    }
    for folder in folders { try folder.commit() }
    return reports
  }

  /// Reads and checks everything that `run` would; writes nothing.
  public func check(_ tasks: [SolveTask], warn: (String) -> Void) throws {
    let forward = try ForwardModel(options.operators, on: model.imageShape)
    let noise = try ResolvedNoise(options.noise, shape: forward.dataShape)
    let pictures = try tasks.map {
      // Begun and dropped: tells whether the folder could be written.
      _ = try OutputFolder(path: $0.output, overwrite: options.overwrite)
      return try DamagedPicture(
        task: $0, options: options, model: model, forward: forward, noise: noise)
    }
    for warning in forward.warnings { warn(warning.text) }
    for picture in pictures { picture.warnings.forEach { warn($0.text) } }
    if options.noise.spectrum.isSlopeInferred {
      try solver.checkSlope(pictures, forward: forward)
    } else {
      _ = try solver.measurement(pictures, noise: noise, forward: forward)
    }
  }

  /// Coordinates of draws kept at most, all pictures together: 3.2 GB.
  private static let largestDrawCount = 400_000_000

  /// Refuses more draws than a run should keep, before memory is taken for them.
  private func checkMemory(pictures: Int) throws(PipelineError) {
    guard options.method != .map else { return }
    let draws = options.chains * options.draws
    guard draws <= Self.largestDrawCount / ((model.latentDimension + 1) * max(pictures, 1)) else {
      throw .usage(
        "\(pictures) pictures with \(draws) draws each are too many to keep: lower --draws or "
          + "--chains, or give fewer pictures at once")
    }
  }
}
