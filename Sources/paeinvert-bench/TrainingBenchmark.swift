import ImageFiles
import Inversion
import Networks
import PAEInversion
import Problems
import Randomness
import Tensors
import Training

/// Part `train`: steps of an autoencoder's training from fresh weights on Fashion-MNIST.
enum TrainingBenchmark {
  static func run(
    _ settings: BenchmarkSettings, _ meter: CeilingMeter, models: [BenchmarkModel]
  ) throws -> BenchmarkSection {
    let images = try DatasetLocator.images(["fashion-mnist"], part: .training)
    var table = Table([
      "model", "batch", "images/s", "GFLOP/s", "fraction", "of a core", "ceiling",
    ])
    var rows: [JSONText] = []
    for model in models {
      let steps = try TrainingSteps(model, images: images, settings: settings)
      // The first step also takes memory.
      _ = steps.run(1)
      let count = max(1, Int((settings.stopwatch.seconds / steps.run(1).seconds).rounded(.up)))
      let comparison = meter.compare(operations: steps.operations * Double(steps.limit(count))) {
        steps.run(count)
      }
      let perSecond = comparison.perSecond(operations: steps.operations / Double(model.batch))
      table.rows.append([model.name, "\(model.batch)", perSecond.text] + comparison.cells)
      rows.append(
        .object(
          [("model", .string(model.name)), ("batch", .integer(model.batch))]
            + perSecond.members("images_per_second") + comparison.members(prefix: "")))
    }
    return BenchmarkSection(
      part: .train, title: "train: steps of an autoencoder",
      table: table, json: .array(rows))
  }
}

/// A training whose steps are timed one by one.
private final class TrainingSteps {
  /// Floating-point operations of the products of one step.
  let operations: Double
  private let trainer: AutoencoderTrainer
  private var epoch = 0

  init(_ model: BenchmarkModel, images: ImageSet, settings: BenchmarkSettings) throws {
    let shape = model.model.description.image.shape
    guard images.shape == shape else {
      throw PipelineError.data(
        "the model \(model.name) takes pictures of \(shape), Fashion-MNIST has \(images.shape)")
    }
    let key = RandomKey(seed: 1).child("benchmark training")
    var recipe = TrainingRecipe(name: model.name, data: "fashion-mnist")
    recipe.setBatch(autoencoder: model.batch, flow: model.batch)
    let encoder = try Network(
      domain: shape, layers: model.model.encoder.layers, key: key.child("encoder"))
    let decoder = try Network(
      domain: model.model.decoder.domain, layers: model.model.decoder.layers,
      key: key.child("decoder"))
    trainer = try AutoencoderTrainer(
      images: images, encoder: encoder, decoder: decoder, options: recipe.autoencoder, key: key,
      pool: settings.pool)
    operations =
      try Double(model.batch) * Network.trainingOperations(encoder: encoder, decoder: decoder)
  }

  /// As many of `count` steps as one epoch has room for.
  func limit(_ count: Int) -> Int { min(count, trainer.stepsPerEpoch - 1) }

  /// `limit(count)` steps that follow the first of an epoch, which draws the order.
  func run(_ count: Int) -> Elapsed {
    let last = limit(count) + 1
    var start = Elapsed.Instant()
    _ = trainer.runEpoch(epoch) { step, _ in
      if step == 1 { start = Elapsed.Instant() }
      return step < last
    }
    epoch += 1
    return Elapsed.Instant().elapsed(since: start)
  }
}
