import ArgumentParser
import Numerics
import PAEInversion
import Problems

struct CorruptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "corrupt",
    abstract: "Make a test case: a damaged picture, its mask and the truth.",
    discussion: """
      Writes data.png, truth.png, with a hole mask.png, and problem.yaml, which 'solve' takes, into a \
      folder. --problem takes operator, noise and mask from a problem file; \
      --sigma beside it replaces the file's. Values are clipped at \
      black and white and rounded, as a camera does; --wide keeps them in a 16-bit PNG whose range \
      stands in the text chunk paeinvert:range.

      EXAMPLES
        paeinvert corrupt picture.png --sigma 0.3
        paeinvert corrupt fashion-mnist:3055 --sigma 0.1 --rectangle 8-16,9-21 -o case
        paeinvert corrupt picture.png --sigma 0.05 --missing 0.9 --wide
        paeinvert corrupt picture.png --problem problem.yaml --wide -o case
      """)

  @Argument(help: "A PNG, - for standard input, or a test picture such as fashion-mnist:3055.")
  var image: String

  @Option(
    name: [.customShort("m"), .long],
    help:
      "Model that problem.yaml names. (default: fashion-mnist where it paints pictures of that size, else none)"
  )
  var model: String?

  @OptionGroup var noise: NoiseArguments

  @Option(help: "Problem file whose operator, noise and mask make the data (paeinvert help solve).")
  var problem: String?

  @OptionGroup var hole: HoleArguments

  @Flag(help: "Do not clip: 16 bits, with the range in a text chunk.")
  var wide = false

  @Option(help: "Bits of a sample, 8 or 16. (default: the picture's; 16 with --wide)")
  var bits: Int?

  @Option(help: "Seed of all randomness.")
  var seed: UInt64 = 1

  @Option(
    name: [.customShort("o"), .long], help: "Result folder. (default: beside the picture)")
  var output: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite an earlier result.")
  var force = false

  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let folder =
        output
        ?? SolveTask.defaultOutput(
          String(image.map { $0 == ":" ? "-" : $0 }), suffix: "corrupted")
      try CorruptPipeline.run(image: image, output: folder, options: try corruptOptions())
      if !console.isQuiet { try console.output(folder + "\n") }
      return 0
    }
  }

  private func corruptOptions() throws -> CorruptOptions {
    var options = CorruptOptions()
    options.noise = try noise.noiseOptions()
    var problemMask: String?
    if let problem {
      let file = try ProblemFile.read(path: problem, options: SolveOptions(threads: 1))
      // A problem may leave σ to be inferred; data need a number.
      let sigma = options.noise.sigma
      guard options.noise == NoiseOptions(sigma: sigma) else {
        throw PipelineError.usage(
          "--problem has the noise: of the other noise options only --sigma may be given")
      }
      options.noise = file.options.noise
      options.noise.sigma = sigma ?? options.noise.sigma
      options.solving = file.options
      options.operators = file.options.operators
      problemMask = file.tasks[0].mask
    }
    options.hole = try hole.hole(problem: problemMask)
    if let bits {
      guard bits == 8 || bits == 16 else { throw PipelineError.usage("--bits must be 8 or 16") }
      guard !wide || bits == 16 else { throw PipelineError.usage("--wide takes 16 bits") }
    }
    options.model = model
    options.isWide = wide
    options.bitDepth = bits
    options.seed = seed
    options.overwrite = force
    return options
  }
}
