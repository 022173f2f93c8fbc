import Diagnostics
import ImageFiles
import Inversion
import Numerics
import PAEInversion
import Problems
import Randomness
import Sampling
import Solving
import Workers

/// Part `preconditioning`: ten problems, sampled from the same starts with the same random numbers
/// under each `Preconditioning`. It counts gradients, so other programs on the machine change nothing.
struct PreconditioningBenchmark {
  /// Space, chains, draws, warmup and target acceptance.
  private let options: SolveOptions
  private let pool: WorkerPool
  private let model: PAEModel
  private let posterior: ImagePosterior
  /// Of each problem.
  private let modes: [ModeSet]
  private let key = RandomKey(seed: 1)

  /// Makes the problems and finds their modes, as `SolvePipeline` does it.
  init(_ options: SolveOptions, pool: WorkerPool) throws {
    self.options = options
    self.pool = pool
    let model = try BenchmarkModel.shipped().model
    self.model = model
    let folder = try TemporaryFolder()
    let noise = try ResolvedNoise(options.noise, shape: model.imageShape)
    let forward = try ForwardModel([], on: model.imageShape)
    let pictures = try PreconditioningProblem.ten.enumerated().map { index, problem in
      var options = options
      options.noise.sigma = .value(problem.sigma)
      return try DamagedPicture(
        task: problem.damage(in: folder.path + "/\(index)"), options: options, model: model,
        forward: forward, noise: noise)
    }
    posterior = try MeasurementModel(
      pictures: pictures, noise: noise.shape, isLevelInferred: false,
      forward: forward, residual: model.residual.diagonal,
      residualScale: model.residualScale, solver: .automatic
    ).posterior(of: model, inCodes: options.space == .z)
    let search = ModeSearchPipeline(model: model, posterior: posterior, pool: pool)
    let starts = key.child("starts")
    modes = try search.run(
      starts: try search.starts(for: pictures, key: starts),
      progress: { _ in true }
    ).sets
  }

  func run() throws -> BenchmarkSection {
    let runs = try PreconditioningProblem.ten.indices.flatMap { index in
      try Preconditioning.allCases.map { try sample(index, $0) }
    }
    let summaries = Preconditioning.allCases.map { preconditioning in
      PreconditioningSummary(runs.filter { $0.preconditioning == preconditioning })
    }
    var table = Table(["problem", "metric"] + PreconditioningRun.header)
    for run in runs {
      table.rows.append([run.problem.name, run.preconditioning.rawValue] + run.cells)
    }
    for summary in summaries {
      table.rows.append(["all, geometric means", summary.preconditioning.rawValue] + summary.cells)
    }
    return BenchmarkSection(
      part: .preconditioning,
      title: "preconditioning: ten test pictures; space \(options.space.rawValue), "
        + "\(options.chains) chains of \(options.draws) draws after at most \(options.warmup); "
        + "ESS: smallest bulk ESS over the coordinates of u, then smallest tail ESS",
      table: table,
      json: .object([
        ("model", .string(model.description.name)), ("space", .string(options.space.rawValue)),
        ("chains", .integer(options.chains)), ("draws", .integer(options.draws)),
        ("warmup", .integer(options.warmup)),
        ("runs", .array(runs.map(\.json))), ("summary", .array(summaries.map(\.json))),
      ]))
  }

  private func sample(
    _ index: Int, _ preconditioning: Preconditioning
  ) throws -> PreconditioningRun {
    let key = key.child("chains").child(index)
    let problem = SamplingProblem(
      index: index,
      starts: modes[index].chainStarts(count: options.chains, key: key.child("starts")),
      initialMetric: preconditioning.initialMetric(of: modes[index]), key: key.child("draws"))
    let run = try Sampling.sample(
      posterior, problems: [problem], kernel: NoUTurnSampler(),
      options: preconditioning.options(
        draws: options.draws, warmup: options.warmup,
        targetAcceptance: options.targetAcceptance ?? SamplerOptions().targetAcceptance),
      pool: pool)
    let result = run.problems[0]
    let verdict = Verdict(
      draws: try posterior.baseDraws(result.draws), energies: result.energies,
      divergences: result.divergences)
    return PreconditioningRun(
      problem: PreconditioningProblem.ten[index], preconditioning: preconditioning,
      warmupLength: result.warmupLength, warmupGradients: run.warmupGradients,
      samplingGradients: run.gradients - run.warmupGradients, stepsPerDraw: result.stepsPerDraw,
      divergences: result.divergences, rHat: verdict.rHatMaximum,
      smallestESS: verdict.bulkESSMinimum, smallestTailESS: verdict.tailESSMinimum)
  }
}
