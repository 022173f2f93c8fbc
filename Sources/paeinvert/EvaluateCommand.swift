import ArgumentParser
import Foundation
import PAEInversion

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "How good a model is on pictures that it was not trained on.",
    discussion: """
      Reconstruction error and the flow's log-likelihood, beside that of a full-covariance Gaussian \
      fitted to the same codes. The name fashion-mnist means its 10,000 test pictures here.

      EXAMPLES
        paeinvert evaluate fashion-mnist fashion-mnist
        paeinvert evaluate model.safetensors pictures/ --json
      """)

  @Argument(help: "A model's name or path.")
  var model: String

  @Argument(help: "fashion-mnist, mnist, IDX files, or a folder of PNGs.")
  var dataset: [String]

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let report = try EvaluatePipeline.run(
        model: model, datasets: dataset, threads: threads.count)
      if json {
        try console.output(report.json.text)
        return 0
      }
      try console.output(
        String(
          format: """
            %d pictures
            reconstruction: mean squared error %.6f ± %.6f (68 %% below %.5f, 95 %% below %.5f)
            flow: ln p(z) %.2f nats; a full-covariance Gaussian %.2f; gain %.2f

            """, report.count, report.error, report.errorOfMean, report.p68, report.p95,
          report.flowLogLikelihood, report.gaussianLogLikelihood,
          report.flowLogLikelihood - report.gaussianLogLikelihood))
      return 0
    }
  }
}
