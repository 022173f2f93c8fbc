import ArgumentParser
import ImageFiles
import PAEInversion
import Problems

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "How plausible pictures are under a model: is one unlike its training pictures?",
    discussion: """
      Four scores in nats, larger for what the model takes for its own kind: flow, ln p(z) of the \
      encoder's code; reconstruction, the Gaussian log-likelihood of what encoder and decoder make of the \
      picture; their sum; marginal, ln p(x) by importance sampling. In brackets the per cent of held-out \
      training pictures that score less: near 0 the picture is an outlier.

      The verdict goes by the flow: out-of-family below 1 %, doubtful below 5 %. What each score finds is \
      measured by evaluate --against. A model file without percentiles gets them by \
      train --refit-residual.

      EXAMPLES
        paeinvert score picture.png
        paeinvert score a.png b.png -m model.safetensors --json
        paeinvert score fashion-mnist:12 mnist:3
      """)

  @Argument(
    help: """
      PNG pictures or NumPy arrays of the model's size; - reads standard input; fashion-mnist:12 is a \
      test picture.
      """)
  var images: [String]

  @Option(name: [.customShort("m"), .long], help: "Model: a name or the path of a model file.")
  var model = ModelLocator.defaultName

  @Flag(help: "Print JSON, a list with an object for each picture, and nothing else on stdout.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let reports = try ScorePipeline.run(
        images, model: model, threads: threads.count, warn: console.warn
      ) {
        console.progress("\($0)/\(images.count) pictures")
        return true
      }
      console.clearProgress()
      try console.output(
        json ? JSONText.array(reports.map(\.json)).text : ScoreReport.table(reports))
      return 0
    }
  }
}
