import ArgumentParser
import Numerics
import PAEInversion
import Problems

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Pictures from the prior, as a gallery.",
    discussion: """
      EXAMPLES
        paeinvert sample
        paeinvert sample -n 100 --seed 7 -o prior.png
        paeinvert sample -m fashion-mnist -m fashion-mnist-8 -m fashion-mnist-ppca
      """)

  @Option(
    name: .customShort("n"),
    help: "How many pictures. (default: 64; of several models 14 each)")
  var count: Int?

  @Option(
    name: [.customShort("m"), .long],
    help: "Model: a name or the path of a model file; several are shown side by side.")
  var model = [ModelLocator.defaultName]

  @Option(help: "Also draw what the decoder cannot paint: diagonal or none.")
  var residual = SolveOptions.Residual.none

  @Option(help: "Seed of all randomness.")
  var seed: UInt64 = 1

  @Option(name: [.customShort("o"), .long], help: "The gallery, a PNG.")
  var output = "samples.png"

  @Flag(name: [.customShort("f"), .long], help: "Overwrite the gallery.")
  var force = false

  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      try SamplePipeline.run(
        models: model, count: count, addsResidual: residual == .diagonal, seed: seed,
        output: output, overwrite: force)
      if !console.isQuiet { try console.output(output + "\n") }
      return 0
    }
  }
}
