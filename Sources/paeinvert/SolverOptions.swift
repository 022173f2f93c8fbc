import ArgumentParser
import Foundation
import Numerics
import PAEInversion
import Problems
import Tiles
import Workers

/// Options that every command has.
struct ConsoleOptions: ParsableArguments {
  @Flag(name: [.customShort("q"), .long], help: "Errors only, and no progress.")
  var quiet = false

  @Flag(name: [.customShort("v"), .long], help: "More about what is going on.")
  var verbose = false

  @Flag(name: .long, help: "No colours on the terminal.")
  var noColor = false

  var console: Console { Console(quiet: quiet, verbose: verbose, noColor: noColor) }
}

struct ThreadOptions: ParsableArguments {
  @Option(
    name: [.customShort("j"), .long],
    help: "Worker threads; results do not depend on it. (default: one for each processor)")
  var threads: Int?

  var count: Int { threads ?? WorkerPool.availableProcessors }
}

/// Where results go and what is said of them.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Result folder, for one picture only. (default: beside the picture)")
  var folder: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite earlier results.")
  var force = false

  @Flag(help: "Print the report as JSON on stdout, and nothing else there.")
  var json = false

  @Flag(help: "Exit with 3 when the diagnostics fail or there is a warning.")
  var strict = false

  @Flag(help: "Check everything, print the problem file that this means, and write nothing.")
  var dryRun = false
}

/// Options shared by the solvers.
struct SolverOptions: ParsableArguments {
  @Option(
    name: [.customShort("m"), .long],
    help:
      "Model: a name or the path of a model file; auto is fashion-mnist for grey pictures of 28x28 pixels, else photo or photo-rgb."
  )
  var model = ModelLocator.automaticName

  @Option(
    help:
      "Work for priors on tiles: fast (mean and error bars), normal (also the best picture and draws), best. (default: normal; fast beyond a million values)"
  )
  var quality: TileOptions.Quality?

  @Option(help: "Whether a prior on tiles is adapted to the picture. (default: auto: not by fast)")
  var adapt = SolveOptions.Adaptation.auto

  @OptionGroup var noise: NoiseArguments

  @Option(
    help:
      "The decoder's own error as part of the model: intensity (variances that follow what is painted), full (a covariance), diagonal, none; auto is intensity for white noise where the model has it, else full where that costs no extra dimensions (data not clipped)."
  )
  var residual = SolveOptions.Residual.auto

  @Option(
    help:
      "How data are solved that coloured noise or the residual correlates: dense (up to 4,096 data), cg (conjugate gradients: any number, --sigma known, not clipped), or auto."
  )
  var solver = NoiseOptions.Solver.automatic

  @Option(
    help: "Are values at the ends of the range clipped noise: auto (when they pile up), yes or no.")
  var clipped = SolveOptions.Clipping.auto

  @Option(
    help:
      "nuts, hmc, chees: chains; smc: particles; mixture: weighted draws of Gaussians at the modes; laplace: one Gaussian; map: the most probable picture alone."
  )
  var method = SolveOptions.Method.nuts

  @Option(
    help:
      "Coordinates to search and sample: z (the codes; faster) or u (the flow's base variables).")
  var space = SolveOptions.Space.z

  @Option(
    help: ArgumentHelp(
      "What in the data is black and what white, in the file's own numbers; auto takes it from the data. Results are in the same units.",
      valueName: "LO,HI|auto"))
  var range: String?

  @Option(help: "Markov chains, all in one batch.")
  var chains = 16

  @Option(help: "Draws kept per chain.")
  var draws = 500

  @Option(help: "Iterations of each chain before the draws, to adapt.")
  var warmup = 300

  @Option(
    help:
      "Acceptance that the step size aims at; nearer 1 means smaller steps. (default: 0.8; for chees 0.651)"
  )
  var targetAccept: Double?

  @Option(help: "Seed of all randomness; the same seed gives the same bytes.")
  var seed: UInt64 = 1

  @Option(help: "Pictures drawn for samples/.")
  var samples = 16

  @Option(help: "The undamaged picture, when known: adds PSNR, SSIM and coverage to the report.")
  var truth: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func solveOptions() throws -> SolveOptions {
    var options = SolveOptions(threads: threads.count)
    options.model = model
    options.quality = quality
    options.adapts = adapt == .off ? false : nil
    options.noise = try noise.noiseOptions()
    options.noise.solver = solver
    options.residual = residual
    options.clipping = clipped
    options.method = method
    options.space = space
    options.chains = chains
    options.draws = draws
    options.warmup = warmup
    options.targetAcceptance = targetAccept
    options.seed = seed
    options.samples = samples
    options.overwrite = output.force
    options.range = try range.map(Self.range)
    return options
  }

  static func range(_ text: String) throws -> DataRange.Choice {
    guard let range = DataRange.Choice(text) else {
      throw PipelineError.usage(
        "--range must be auto or two numbers LO,HI with LO below HI, not '\(text)'")
    }
    return range
  }

  /// One task for each picture; `suffix` names the default result folder.
  func problem(_ images: [String], mask: String?, suffix: String) throws -> ProblemFile {
    ProblemFile(
      options: try solveOptions(), tasks: try tasks(images, mask: mask, suffix: suffix))
  }

  private func tasks(_ images: [String], mask: String?, suffix: String) throws -> [SolveTask] {
    guard images.count == 1 || output.folder == nil else {
      throw PipelineError.usage("--output goes with one picture; leave it out for several")
    }
    guard images.count == 1 || truth == nil else {
      throw PipelineError.usage("--truth goes with one picture")
    }
    guard images.count(where: { $0 == "-" }) <= 1 else {
      throw PipelineError.usage("standard input can be read once")
    }
    let tasks = images.map { image in
      SolveTask(
        image: image, output: output.folder ?? SolveTask.defaultOutput(image, suffix: suffix),
        mask: mask, truth: truth, allowsMissing: false)
    }
    guard Set(tasks.map(\.output)).count == tasks.count else {
      throw PipelineError.usage("two pictures would share one result folder; give each once")
    }
    return tasks
  }
}

extension SolveOptions.Adaptation: ExpressibleByArgument {}
extension TileOptions.Quality: ExpressibleByArgument {}
extension SolveOptions.Residual: ExpressibleByArgument {}
extension NoiseOptions.Solver: ExpressibleByArgument {}
extension SolveOptions.Clipping: ExpressibleByArgument {}
extension SolveOptions.Space: ExpressibleByArgument {}
extension SolveOptions.Method: ExpressibleByArgument {}
