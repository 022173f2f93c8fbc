import ImageFiles
import Inversion
import Problems
import Tiles

/// What is told of one solved picture, whatever the model.
public protocol SolverReport: Sendable {
  /// Stable keys; null where a number does not exist.
  var json: JSONText { get }
  /// Whether the answer can be relied on: the work was done and no warning makes it doubtful.
  var isOK: Bool { get }
  var warnings: [Warning] { get }
}

/// From damaged pictures to result folders under one model.
public protocol SolverPipeline {
  /// Solves the tasks and leaves each one's files in its output folder.
  /// - Parameters:
  ///   - warn: called with one-line warnings as they come up.
  ///   - progress: called with what is done; returns false to stop, where the model can be stopped.
  func solve(
    _ tasks: [SolveTask], warn: (String) -> Void, progress: (SolveProgress) -> Bool
  ) throws -> [any SolverReport]
  /// Reads and checks everything that `solve` would; writes nothing.
  func check(_ tasks: [SolveTask], warn: (String) -> Void) throws
}

/// The pipeline of the model that the options name: a prior on tiles, or an autoencoder.
/// - Throws: `PipelineError` or `ImageFileError` for options and models that make no sense.
public func makeSolverPipeline(
  command: String, options: SolveOptions
) throws -> any SolverPipeline {
  let file = try SafetensorsFile.read(path: ModelLocator.path(of: options.model))
  if TilePrior.isTilePrior(file) { return try TilePipeline(command: command, options: options) }
  guard options.quality == nil, options.adapts == nil else {
    throw PipelineError.usage(
      "--quality and --adapt go with priors on tiles, such as photo; the model '\(options.model)' has "
        + "--draws, --warmup and --method")
  }
  return try SolvePipeline(command: command, options: options)
}

extension SolvePipeline: SolverPipeline {
  public func solve(
    _ tasks: [SolveTask], warn: (String) -> Void, progress: (SolveProgress) -> Bool
  ) throws -> [any SolverReport] {
    try run(tasks, warn: warn, progress: progress)
  }
}

extension SolveReport: SolverReport {}
