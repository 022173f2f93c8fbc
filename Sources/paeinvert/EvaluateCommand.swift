import ArgumentParser
import Foundation
import PAEInversion

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "How good a model is on pictures that it was not trained on.",
    discussion: """
      Reconstruction error and the flow's log-likelihood, beside that of a full-covariance Gaussian \
      fitted to the same codes, and the marginal log-likelihood ln p(x) by importance sampling, which \
      puts models of all objectives on one scale. The names fashion-mnist and mnist mean their test \
      pictures here.

      --against tells how well four scores tell DATASET from pictures of another kind: flow, ln p(z) of \
      the encoder's code; reconstruction, its Gaussian log-likelihood; their sum; marginal, ln p(x). Each \
      with its AUROC, the probability that a picture of DATASET scores higher. flip-vertical and \
      flip-horizontal mean DATASET upside down, or left for right.

      EXAMPLES
        paeinvert evaluate fashion-mnist fashion-mnist
        paeinvert evaluate model.safetensors pictures/ --json
        paeinvert evaluate fashion-mnist fashion-mnist --against mnist --against flip-vertical
        paeinvert evaluate fashion-mnist fashion-mnist --pictures 10000
      """)

  @Argument(help: "A model's name or path.")
  var model: String

  @Argument(help: "fashion-mnist, mnist, IDX files, or a folder of PNGs.")
  var dataset: [String]

  @Option(
    help: ArgumentHelp(
      "Pictures of another kind: as DATASET, or flip-vertical, flip-horizontal. May be repeated.",
      valueName: "dataset"))
  var against: [String] = []

  @Option(help: "The first pictures of each set get ln p(x); 0 for none of it.")
  var pictures = OutlierOptions.usualMarginalPictures

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let report = try EvaluatePipeline.run(
        model: model, datasets: dataset,
        outliers: OutlierOptions(against: against, marginalPictures: pictures),
        threads: threads.count
      ) {
        console.progress($0)
        return true
      }
      console.clearProgress()
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
          report.flowLogLikelihood - report.gaussianLogLikelihood) + report.outlierText)
      return 0
    }
  }
}
