import ImageFiles
import Inversion
import Networks
import PAEInversion
import Randomness
import Tensors
import Training

/// Part `train`: steps of an autoencoder's training from fresh weights on Fashion-MNIST.
enum TrainingBenchmark {
  static func run(
    _ settings: BenchmarkSettings, _ meter: CeilingMeter, models: [BenchmarkModel]
  ) throws -> BenchmarkSection {
    let images = try DatasetLocator.images(["fashion-mnist"], part: .training)
    var table = Table(["model", "batch", "images/s", "GFLOP/s", "fraction", "ceiling"])
    var rows: [JSONText] = []
    for model in models {
      let steps = try TrainingSteps(model, images: images, settings: settings)
      // The first step also takes memory.
      _ = steps.secondsPerStep(1)
      let perStep = steps.secondsPerStep(1)
      let count = max(1, Int((settings.stopwatch.seconds / perStep).rounded(.up)))
      let comparison = meter.compare {
        1e-9 * steps.operations / steps.secondsPerStep(count)
      }
      let rates = comparison.gflops
      let perSecond = Spread(
        [rates.minimum, rates.median, rates.maximum].map {
          $0 * 1e9 / steps.operations * Double(model.batch)
        })
      table.rows.append([
        model.name, "\(model.batch)", perSecond.text, Spread.text(rates.median),
        comparison.fraction.text, Spread.text(comparison.ceiling.median),
      ])
      rows.append(
        .object(
          [("model", .string(model.name)), ("batch", .integer(model.batch))]
            + perSecond.members("images_per_second") + rates.members("gflops")
            + comparison.fraction.members("fraction")
            + comparison.ceiling.members("ceiling_gflops")))
    }
    return BenchmarkSection(
      part: .train, title: "train: autoencoder steps; ceiling in GFLOP/s just before",
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

  /// Mean seconds of `count` steps that follow the first of an epoch, which draws the order.
  func secondsPerStep(_ count: Int) -> Double {
    let last = min(count + 1, trainer.stepsPerEpoch)
    var start = ContinuousClock.now
    var end = start
    _ = trainer.runEpoch(epoch) { step, _ in
      if step == 1 { start = ContinuousClock.now }
      end = ContinuousClock.now
      return step < last
    }
    epoch += 1
    return (end - start).inSeconds / Double(last - 1)
  }
}
