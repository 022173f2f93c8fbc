import ArgumentParser
import PAEInversion
import Problems

struct SolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve",
    abstract:
      "Posterior draws for any instrument and any Gaussian noise, stated in a problem file.",
    discussion: """
      The file is YAML; every key but 'data' may be left out, and paths are relative to its folder:

        data: data.png                    a PNG, a NumPy array (.npy), or a list of them
        truth: truth.png                  when it is known
        range: [0, 4095]                  what in the data is black and white, or auto
        mask: mask.png                    of the data: white = observed, black = missing
        invert-mask: false
        mask-bad: 3                       the mask's number that means missing, all others observed
        transparent: ignored              or missing
        output: result
        model: fashion-mnist
        operator:                         the light's way, the first step acting first
          - blur: {gaussian: 1.5, border: reflecting}
          - downsample: 2
        noise:
          sigma: auto                     or a number in intensity units
          spectrum: power:2               or power:auto, or a file
          border: open                    or periodic, the default
          solver: auto                    dense up to 4,096 correlated data, else cg
        residual: full
        clipped: auto
        sampling: {method: nuts, chains: 16, draws: 500, warmup: 300, seed: 1, samples: 16}

      A prior on tiles, such as photo, takes of 'sampling' quality (fast, normal, best), adapt (auto, off), seed \
      and samples.

      Steps of the operator: blur (gaussian: pixels | disc: radius | motion: {length, angle} | \
      {file: FILE, center: [row, column]}, with border: reflecting | zero | periodic), downsample: FACTOR, \
      crop: {top, left, height, width}, pad: {top, left, bottom, right}, gain: FILE, mask: FILE, \
      fourier: MASK (white = measured frequency, the zero frequency in the middle; data are then a \
      .npy of complex numbers as numpy.fft.fft2(norm="ortho") orders them).

      EXAMPLES
        paeinvert solve problem.yaml
        paeinvert solve problem.yaml --dry-run       (check it, and print it in full)
        paeinvert inpaint a.png --mask m.png --dry-run > problem.yaml
        paeinvert corrupt truth.png --problem problem.yaml -o case && paeinvert solve case/problem.yaml
      """)

  @Argument(help: "The problem file; - reads standard input.")
  var problem: String

  @Option(
    name: [.customShort("m"), .long],
    help:
      "Model: a name or the path of a model file; goes before the problem file's. (default: by the picture's size, as for denoise)"
  )
  var model: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    SolverCommand(name: "solve", options: output, console: consoleOptions.console).run {
      var options = SolveOptions(threads: threads.count)
      options.model = ModelLocator.automaticName
      var problem = try ProblemFile.read(path: problem, options: options)
      problem.options.overwrite = output.force
      if let model { problem.options.model = model }
      if let folder = output.folder {
        guard problem.tasks.count == 1 else {
          throw PipelineError.usage("--output goes with one picture; leave it out for several")
        }
        problem.tasks[0].output = folder
      }
      return problem
    }
  }
}
