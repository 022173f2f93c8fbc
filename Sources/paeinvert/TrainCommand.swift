import ArgumentParser
import Foundation
import Inversion
import Networks
import Numerics
import PAEInversion
import Problems
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a Probabilistic Autoencoder, or a model to compare it with, on pictures.",
    discussion: """
      DATASET is fashion-mnist (Debian's package dataset-fashion-mnist), mnist (5,000 digits), one or more IDX files \
      (gzip or not), or a folder with PNGs and JPEGs, grey or RGB, its subfolders included. Pictures of \
      several sizes, or larger than 64 pixels, are cut into tiles. A tenth of the pictures, at most \
      5000, is held out for early stopping and the residual. After the first epoch of a stage, and every two \
      minutes, MODEL.checkpoint is written; --resume goes on from there and gives the same bytes as a run \
      without a break. An interrupted training is not begun anew without -f.
      What is not given follows from the pictures. From fewer than 10,000 the autoencoder is linear: \
      principal components, as many as tell held-out pictures best. At the end the held-out error \
      stands beside those of the mean picture and of principal components.

      OBJECTIVES
        pae        an autoencoder of least squares, then a flow on its codes
        ae         the same autoencoder, a Gaussian on its codes
        ppca       probabilistic principal components, in closed form: no epochs
        vae        the evidence lower bound, prior N(0, I), the pixels' variance learned
        beta-vae   the same with β |KL − C| for the divergence; C rises over the first half
        flow-vae   the same as vae with the flow as prior, trained along
        beta0-vae  an autoencoder whose codes get noise of a fixed size, then a flow as for pae

      FLOWS
        mixture    a few couplings, then a masked network that gives each coordinate a mixture of Gaussians
        masked-affine  masked networks that scale and shift
        affine     couplings that scale and shift, trained by gradient descent: the smoothest density
        spline     the same stack with rational-quadratic splines for couplings
        sliced     fitted layer by layer along the directions where codes are least Gaussian; in a \
      minute or two

      EXAMPLES
        paeinvert train fashion-mnist -o model.safetensors
        paeinvert train pictures/ -o model.safetensors
        paeinvert train photographs/ -o model.safetensors --tile 16
        paeinvert train pictures/ -o model.safetensors --architecture conv --latent 64 --epochs 60
        paeinvert train fashion-mnist -o model.safetensors --resume
        paeinvert train fashion-mnist -o vae.safetensors --objective vae
        paeinvert train fashion-mnist -o new.safetensors --refit-residual model.safetensors
        paeinvert train fashion-mnist -o new.safetensors --autoencoder fashion-mnist --flow spline
      """)

  @Argument(help: "fashion-mnist, mnist, IDX files, or a folder of pictures.")
  var dataset: [String]

  @Option(name: [.customShort("o"), .long], help: "The model file.")
  var output: String

  @Option(help: "Name of the model. (default: that of the file)")
  var name: String?

  @OptionGroup var objective: ObjectiveArguments

  @Option(
    help: ArgumentHelp(
      "A folder's pictures: whole, or cut into squares of N pixels a side. (default: whole where all "
        + "have one size of at most 64, else 32)", valueName: "whole|N|auto"))
  var tile: TileArgument?

  @Option(
    help: ArgumentHelp(
      "Positions to show pictures in: flips are mirrored, turns turned by quarters too. (default: "
        + "those that held-out pictures are told best with)", valueName: "auto|none|flips|turns"))
  var augment: AugmentArgument?

  @Option(help: "Latent dimension K. (default: by the pictures; 40 from many)")
  var latent: Int?

  @Option(help: "linear, conv, infogan or mlp. (default: linear from fewer than 10,000 pictures)")
  var architecture: Architecture?

  @Option(
    help: "Passes over the pictures for the autoencoder. (default: 30, more from few pictures)")
  var epochs: Int?

  @OptionGroup var flow: FlowArguments

  @Option(
    help: "Pictures of one step; the flow takes twice as many codes. (default: 128, fewer from few)"
  )
  var batch: Int?

  @Option(
    help:
      "Peak learning rate of the autoencoder; that of couplings and of masked affine layers is half of it."
  )
  var learningRate = TrainingRecipe.defaultLearningRate

  @Option(help: "Seed of all randomness; the same seed gives the same model.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Train nothing: fit only the residual of this model again, to the pictures held out then.",
      valueName: "model"))
  var refitResidual: String?

  @Option(
    help: ArgumentHelp(
      "Keep the autoencoder of this model, trained on the same pictures: fit a flow and the residual.",
      valueName: "model"))
  var autoencoder: String?

  @Flag(help: "Go on from MODEL.checkpoint.")
  var resume = false

  @Flag(
    name: [.customShort("f"), .long],
    help: "Overwrite the model file, and the checkpoint of an interrupted training.")
  var force = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      if let refitResidual {
        try refit(refitResidual, console)
        return 0
      }
      let (recipe, request) = try recipe()
      let start = ContinuousClock.now
      Interruption.advise(
        "go on with the same command and --resume",
        whenThereIs: TrainPipeline.checkpoint(of: output))
      let (latent, record) = try TrainPipeline.run(
        datasets: dataset, output: output, recipe: recipe, request: request,
        tiling: tile?.tiling ?? .auto, autoencoder: autoencoder, threads: threads.count,
        resumes: resume, overwrite: force,
        progress: console.training(Self.line))
      console.clearProgress()
      if !console.isQuiet {
        try console.output(
          String(
            format: """
              %@
                %d latents, %d pictures, %d more held out
                held-out mean squared error %.5f
              %@  held-out ln p(z) %.2f nats, Gaussian %.2f
              %@%@  %.0f s

              """, output, latent, record.pictures, record.heldOut, record.heldOutError,
            Self.comparisonLine(record), record.heldOutFlowLogLikelihood,
            record.heldOutGaussianLogLikelihood,
            record.objective.map { "  \($0.text)\n" } ?? "", Self.residualLine(record),
            Self.seconds(since: start)))
      }
      if let fault = record.fault {
        console.warn(
          "\(output) is not worth using: \(fault); \(record.advice(latent: latent))")
      }
      return 0
    }
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let passed = (ContinuousClock.now - start).components
    return Double(passed.seconds) + 1e-18 * Double(passed.attoseconds)
  }

  private func refit(_ model: String, _ console: Console) throws {
    guard isRecipeDefault else {
      throw PipelineError.usage(
        "--refit-residual keeps all but the residual of the model: leave out the options of a "
          + "training (--name, --latent … --seed, --autoencoder, --resume)")
    }
    let description = try RefitPipeline.run(
      datasets: dataset, model: model, output: output, tiling: tile?.tiling ?? .auto,
      threads: threads.count, overwrite: force)
    if !console.isQuiet {
      try console.output(
        "\(output)\n  residual of \(description.residual.rank) factors\n"
          + (description.training.map(Self.residualLine) ?? ""))
    }
  }

  /// Whether no option of a training was given, or each as it is without.
  private var isRecipeDefault: Bool {
    name == nil && isAutoencoderDefault && flow.isDefault && batch == nil
      && learningRate == TrainingRecipe.defaultLearningRate && !resume && autoencoder == nil
  }

  /// Whether the options are as without that the autoencoder of another model decides.
  private var isAutoencoderDefault: Bool {
    objective.isDefault && latent == nil && architecture == nil && epochs == nil
      && augment == nil && seed == 1
  }

  /// Options that an objective would ignore are refused, except where they are as without.
  private func checkStages(_ objective: ModelDescription.Objective) throws {
    let isComputed = objective == .ppca
    guard
      !isComputed
        || (architecture == nil && epochs == nil && batch == nil && augment == nil
          && learningRate == TrainingRecipe.defaultLearningRate && !resume)
    else {
      throw PipelineError.usage(
        "--objective ppca is computed in closed form: leave out --architecture, --epochs, --batch, "
          + "--augment, --learning-rate and --resume")
    }
    try flow.check(objective)
    guard autoencoder == nil || isAutoencoderDefault else {
      throw PipelineError.usage(
        "--autoencoder keeps the autoencoder of the model and its pictures held out: leave out "
          + "--objective and its options, --latent, --architecture, --epochs, --augment and --seed")
    }
  }

  /// A line about the held-out residuals, or nothing.
  private static func residualLine(_ record: TrainingRecord) -> String {
    guard let residual = record.heldOutResidualLogLikelihood,
      let diagonal = record.heldOutDiagonalResidualLogLikelihood
    else { return "" }
    return String(
      format: "  held-out residuals ln p %.2f nats, independent elements %.2f\n", residual, diagonal
    )
  }

  private func recipe() throws -> (TrainingRecipe, RecipeRequest) {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw PipelineError.usage(message) }
    }
    try require((1...4096).contains(latent ?? 1), "--latent must be 1 to 4096")
    try require((1...100_000).contains(epochs ?? 1), "--epochs must be 1 to 100000")
    try require(
      (2...4096).contains(batch ?? 2) && (batch ?? 2) % 2 == 0,
      "--batch must be an even number, 2 to 4096")
    try require(
      learningRate > 0 && learningRate <= 1, "--learning-rate must be above 0 and at most 1")
    let objective = try objective.value()
    try checkStages(objective.name)
    let stem = URL(fileURLWithPath: output).deletingPathExtension().lastPathComponent
    let recipe = TrainingRecipe(
      name: name ?? stem,
      data: dataset.map { ($0 as NSString).lastPathComponent }.joined(
        separator: " "), objective: objective, seed: seed, learningRate: learningRate)
    return (recipe, request(objective.name))
  }

  private func request(_ objective: ModelDescription.Objective) -> RecipeRequest {
    var request = RecipeRequest()
    request.flow = flow.request(objective)
    request.allowsGaussian = flow.isDefault
    request.latent = latent
    request.architecture = architecture
    request.epochs = epochs
    request.batch = batch
    request.augmentation = augment?.augmentation ?? .auto
    return request
  }

  /// A line of what simpler things leave, or nothing.
  private static func comparisonLine(_ record: TrainingRecord) -> String {
    record.comparison.map {
      String(
        format: "    of the mean picture %.5f, of as many principal components %.5f, "
          + "probabilistic ones %.5f\n", $0.meanPicture, $0.principalComponents,
        $0.probabilisticComponents)
    } ?? ""
  }

  private static func line(_ progress: TrainingProgress) -> String {
    switch progress.stage {
    case .residual: return "fitting what held-out pictures leave"
    case .scores: return "measuring how plausible held-out pictures are"
    case .autoencoder, .flow, .slicedFlow, .classifier: break
    }
    var value =
      progress.stage == .autoencoder
      ? String(format: "loss %.5f", progress.value)
      : String(format: "ln p(z) %.2f nats", progress.value)
    if let divergence = progress.divergence {
      value = String(format: "error %.5f, KL %.2f nats", progress.value, divergence)
    }
    let left = Int(progress.secondsLeft.rounded())
    if progress.stage == .slicedFlow {
      return String(
        format: "flow layer %d/%d, %@, at most %d:%02d left", progress.epoch, progress.epochs,
        value,
        left / 60, left % 60)
    }
    return String(
      format: "%@ epoch %d/%d, step %d/%d, %@, %.0f %@/s, %d:%02d left",
      progress.stage.rawValue, progress.epoch, progress.epochs, progress.step, progress.steps,
      value, progress.itemsPerSecond, progress.stage == .autoencoder ? "images" : "codes",
      left / 60, left % 60)
  }
}

extension Architecture: ExpressibleByArgument {}
