import Diagnostics
import ImageFiles
import PAEInversion
import Problems

/// Part `posterior`: the fixed problem from PNG to result folder, as `paeinvert inpaint` solves it
/// with the default model; each repetition has another seed for starts and chains.
struct PosteriorBenchmark {
  let problem: FixedProblem
  let options: SolveOptions
  let repeats: Int
  let folder: TemporaryFolder

  /// - Parameter options: chains, draws, warmup, space and threads are kept.
  init(_ options: SolveOptions, repeats: Int) throws {
    var options = options
    options.noise.sigma = .value(FixedProblem.sigma)
    // The model that the peers have.
    options.residual = .diagonal
    options.isResidualScaleInferred = false
    options.samples = min(options.samples, options.chains * options.draws)
    try options.validate()
    self.options = options
    self.repeats = repeats
    folder = try TemporaryFolder()
    problem = try FixedProblem(in: folder.path)
  }

  func run() throws -> BenchmarkSection {
    let runs = try (1...repeats).map { try solve(seed: UInt64($0)) }
    func spread(_ value: (Run) -> Double) -> Spread { Spread(runs.map(value)) }
    let quantities: [(key: String, title: String, values: Spread)] = [
      ("seconds_total", "seconds, start to result folder", spread(\.seconds)),
      ("seconds_map", "seconds, modes", spread(\.report.seconds.map)),
      ("seconds_warmup", "seconds, warmup", spread(\.report.seconds.warmup)),
      ("seconds_sampling", "seconds, sampling", spread(\.report.seconds.sampling)),
      ("gradients", "gradients", spread { Double($0.report.gradients) }),
      ("leapfrogs_per_draw", "leapfrog steps a draw", spread { $0.report.stepsPerDraw ?? .nan }),
      ("ess_min", "smallest bulk ESS", spread(\.smallestESS)),
      (
        "ess_per_second", "smallest bulk ESS a second of sampling",
        spread { $0.smallestESS / $0.report.seconds.sampling }
      ),
      ("lane_utilization", "lane utilization", spread { $0.report.laneUtilization ?? .nan }),
    ]
    let passed = runs.count(where: \.report.isOK)
    return BenchmarkSection(
      part: .posterior,
      title: "posterior: test picture 3055 with a hole, σ = 0.1; space \(options.space.rawValue), "
        + "\(options.chains) chains of \(options.draws) draws after \(options.warmup)",
      table: Table(
        pairs: quantities.map { ($0.title, $0.values.text) }
          + [("diagnostics pass", "\(passed) of \(repeats)")]),
      json: .object(
        [
          ("model", .string(runs[0].report.modelName)),
          ("space", .string(options.space.rawValue)), ("chains", .integer(options.chains)),
          ("draws", .integer(options.draws)), ("warmup", .integer(options.warmup)),
        ] + quantities.flatMap { $0.values.members($0.key) }
          + [("runs", .integer(repeats)), ("runs_ok", .integer(passed))]))
  }

  private struct Run {
    /// Wall time with the reading of the model and the writing of all files.
    let seconds: Double
    let report: SolveReport
    /// Over the coordinates of u.
    var smallestESS: Double { report.verdict?.bulkESSMinimum ?? .nan }
  }

  private func solve(seed: UInt64) throws -> Run {
    var options = options
    options.seed = seed
    let task = SolveTask(
      image: problem.image, output: folder.path + "/result-\(seed)", mask: problem.mask)
    var reports: [SolveReport] = []
    let elapsed = try Elapsed {
      reports = try SolvePipeline(command: "inpaint", options: options)
        .run([task], warn: StandardStreams.note, progress: { _ in true })
    }
    return Run(seconds: elapsed.seconds, report: reports[0])
  }
}
