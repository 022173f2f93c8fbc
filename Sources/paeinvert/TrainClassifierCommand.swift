import ArgumentParser
import Foundation
import Numerics
import PAEInversion
import Problems
import Training

struct TrainClassifierCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-classifier",
    abstract: "Train the small classifier whose features `evaluate` compares pictures in.",
    discussion: """
      DATASET is fashion-mnist or mnist, which have labels, or pictures as for `train` with --labels. A \
      tenth of the pictures, at most 5000, is held out: the file gets the weights of the epoch that \
      tells these apart best. Of fashion-mnist and mnist the accuracy on the test pictures is measured \
      once, at the end.

      EXAMPLES
        paeinvert train-classifier fashion-mnist -o classifier.safetensors
        paeinvert train-classifier images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz -o mine.safetensors
        paeinvert evaluate fashion-mnist fashion-mnist --classifier ./mine.safetensors
      """)

  @Argument(help: "fashion-mnist, mnist, IDX files, or a folder of PNGs.")
  var dataset: [String]

  @Option(
    parsing: .upToNextOption,
    help: "IDX files of labels, in the order of the pictures; not for the built-in names.")
  var labels: [String] = []

  @Option(name: [.customShort("o"), .long], help: "The classifier's file.")
  var output: String

  @Option(help: "Name of the classifier. (default: that of the file)")
  var name: String?

  @Option(help: "Passes over the pictures.")
  var epochs = ClassifierRecipe.defaultEpochs

  @Option(help: "Pictures of one step.")
  var batch = 128

  @Option(help: "Seed of all randomness; the same seed gives the same classifier.")
  var seed: UInt64 = 1

  @Flag(name: [.customShort("f"), .long], help: "Overwrite the file.")
  var force = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let start = ContinuousClock.now
      let record = try TrainClassifierPipeline.run(
        datasets: dataset, labels: labels, output: output, recipe: try recipe(),
        threads: threads.count, overwrite: force, progress: console.training(Self.line))
      console.clearProgress()
      if !console.isQuiet {
        try console.output(
          String(
            format: "%@\n  held-out accuracy %.2f %%, epoch %d of %d\n%@  %.0f s\n", output,
            100 * record.heldOutAccuracy, record.bestEpoch, record.epochs,
            record.testAccuracy.map { String(format: "  test accuracy %.2f %%\n", 100 * $0) } ?? "",
            Double((ContinuousClock.now - start).components.seconds)))
      }
      return 0
    }
  }

  private func recipe() throws -> ClassifierRecipe {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw PipelineError.usage(message) }
    }
    try require((1...100_000).contains(epochs), "--epochs must be 1 to 100000")
    try require(
      (4...4096).contains(batch) && batch % 2 == 0, "--batch must be an even number, 4 to 4096")
    let stem = URL(fileURLWithPath: output).deletingPathExtension().lastPathComponent
    var recipe = ClassifierRecipe(
      name: name ?? stem,
      data: dataset.map { ($0 as NSString).lastPathComponent }.joined(separator: " "), seed: seed,
      epochs: epochs)
    recipe.batch = batch
    return recipe
  }

  private static func line(_ progress: TrainingProgress) -> String {
    let left = Int(progress.secondsLeft.rounded())
    return String(
      format: "epoch %d/%d, step %d/%d, cross-entropy %.4f nats, %.0f images/s, %d:%02d left",
      progress.epoch, progress.epochs, progress.step, progress.steps, progress.value,
      progress.itemsPerSecond, left / 60, left % 60)
  }
}
