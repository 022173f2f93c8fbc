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
    for picture in pictures { picture.warnings.forEach(warn) }
    let key = RandomKey(seed: options.seed)
    let solved =
      options.noise.spectrum.isSlopeInferred
      ? try solver.solveSlope(
        pictures, noise: noise, forward: forward, key: key, warn: warn, progress: progress)
      : try solver.solve(pictures, noise: noise, forward: forward, key: key, progress: progress)
    let (posterior, modes) = (solved.posterior, solved.modes)
    var solutions = try pictures.indices.map {
      try Solution(
        picture: pictures[$0], problem: $0, modes: modes[$0],
        bestBase: posterior.baseDraws(modes[$0].bestDraw), slope: solved.slope)
    }
    var seconds = SolveReport.Seconds(map: (ContinuousClock().now - start).inSeconds)
    if let run = solved.run {
      seconds.warmup = run.warmupSeconds
      seconds.sampling = run.samplingSeconds
      seconds.map -= run.warmupSeconds + run.samplingSeconds
      for index in solutions.indices {
        solutions[index].run = run.problems[index]
        solutions[index].modes = run.problems[index].modes
        solutions[index].baseDraws = try posterior.baseDraws(run.problems[index].draws)
      }
    }
    let prior = try PriorReference(flow: model.flow)
    let lattice = try ResidualLattice(solved.measurement)
    let reading =
      solved.run == nil
      ? nil
      : try EncoderReading(
        model: model, law: solved.measurement.residualPrior(of: model),
        scale: posterior.residualScale)
    let reported = ReportedModel(model, digest: try SHA256.hexDigest(ofFile: modelPath))
    var reports: [SolveReport] = []
    for (index, solution) in solutions.enumerated() {
      guard
        progress(
          .init(
            stage: .pictures, fraction: Double(index) / Double(solutions.count), divergences: 0))
      else { throw SamplingError.cancelled }
      let result = try SolutionPictures(
        solution, posterior: posterior, residual: solved.measurement.residuals[index],
        options: options,
        key: key.child("pictures").child(index), pool: pool)
      let readingPercentile = try solution.run.flatMap { run in
        try reading?.percentile(
          of: PosteriorPictures.drawnWithMeans(
            EncoderReading.drawsUsed, posterior: posterior, problem: index, draws: run.draws,
            residual: solved.measurement.residuals[index],
            key: key.child("reading").child(index)),
          sigma: solution.picture.sigma)
      }
      seconds.total = (ContinuousClock().now - start).inSeconds
      let report = try SolveReport(
        command: command, options: options, model: reported,
        solution: solution, pictures: result, latentDimension: model.latentDimension,
        seconds: seconds, gradients: solved.gradients,
        laneUtilization: solved.run?.laneUtilization, posterior: posterior,
        measurement: solved.measurement, lattice: lattice, prior: prior,
        reading: readingPercentile)
      try SolutionFiles(
        solution: solution, pictures: result, report: report, options: options,
        posterior: posterior, dataShape: forward.dataShape
      ).write(to: folders[index])
      report.modelRemarks.forEach(warn)
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
    for picture in pictures { picture.warnings.forEach(warn) }
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
