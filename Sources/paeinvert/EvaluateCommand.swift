import ArgumentParser
import Foundation
import Judging
import Numerics
import PAEInversion
import Problems

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "How good a model is on pictures that it was not trained on.",
    discussion: """
      Reconstruction error with bootstrap errors, and the flow's log-likelihood beside that of a \
      full-covariance Gaussian fitted to the same codes. The names fashion-mnist and mnist mean their test \
      pictures here.

      Then draws of the prior against as many test pictures: the Fréchet distance in the features of a \
      small classifier (no FID, whose network is another one), precision and recall in the same \
      features, beside the same for reconstructions, for codes drawn from a Gaussian in place of the \
      flow, and for training pictures; and how near draws come to training pictures. That takes about a \
      minute; --samples 0 leaves it out. With -o a folder gets evaluate.json, samples.png, a \
      picture of draws, reconstructions, and what lies between test pictures, and pictures.safetensors, \
      error and scores of each picture.

      Then the marginal log-likelihood ln p(x) by importance sampling, which puts models of all objectives \
      on one scale; --pictures 0 leaves it out. --against tells how well four scores tell DATASET from \
      pictures of another kind: flow, ln p(z) of the encoder's code; reconstruction, its Gaussian \
      log-likelihood; their sum; marginal, ln p(x). Each with its AUROC, the probability that a picture of \
      DATASET scores higher. flip-vertical and flip-horizontal mean DATASET upside down, or left for right.

      EXAMPLES
        paeinvert evaluate fashion-mnist fashion-mnist
        paeinvert evaluate fashion-mnist fashion-mnist -o evaluation
        paeinvert evaluate fashion-mnist fashion-mnist --against mnist --against flip-vertical
        paeinvert evaluate model.safetensors pictures/ --json --samples 0 --pictures 0
        paeinvert evaluate mnist-8 mnist --classifier ./digits-classifier.safetensors
      """)

  @Argument(help: "A model's name or path.")
  var model: String

  @Argument(help: "fashion-mnist, mnist, IDX files, or a folder of PNGs.")
  var dataset: [String]

  @Option(
    help: "Draws of the prior, and at most as many pictures to hold them against; 0 for none.")
  var samples = 10_000

  @Option(
    help: ArgumentHelp(
      "Classifier whose features are taken: a name or the path of a file. (default: "
        + "\(ModelLocator.defaultClassifier), where it fits the pictures)", valueName: "file"))
  var classifier: String?

  @Option(help: "Seed of all randomness.")
  var seed: UInt64 = 1

  @Option(
    name: [.customShort("o"), .long],
    help: "Folder for the report, a picture and the scores of each picture.")
  var output: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite an earlier result.")
  var force = false

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
      var options = EvaluatePipeline.Options()
      (options.samples, options.seed, options.classifier) = (samples, seed, classifier)
      (options.output, options.overwrite) = (output, force)
      options.outliers = OutlierOptions(against: against, marginalPictures: pictures)
      let report = try EvaluatePipeline.run(
        model: model, datasets: dataset, threads: threads.count, options: options
      ) { part in
        console.progress(part)
        return true
      }
      console.clearProgress()
      if json {
        try console.output(report.json.text)
        return 0
      }
      try console.output(report.text)
      return 0
    }
  }
}
