import Foundation
import ImageFiles
import Inversion
import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Workers

/// Trains a classifier by cross-entropy, and keeps the weights of the epoch that tells the held-out
/// pictures apart best.
///
/// A batch is cut in shards as in `AutoencoderTrainer`: the same weights for any number of threads.
public final class ClassifierTrainer {
  /// Of the epochs so far, the share of held-out pictures told apart.
  package private(set) var heldOutAccuracies: [Double] = []
  private let images: any ImageSource
  private let labels: [UInt8]
  private let recipe: ClassifierRecipe
  private let version: String
  private let split: DataSplit
  private let pool: WorkerPool
  private let classes: Int
  private let packed: PackedNetwork
  private let optimizer: Optimizer
  private let schedule: LearningRateSchedule
  private let shards: [ClassifyingShard]
  private let key: RandomKey

  private var stepsPerEpoch: Int { split.training.count / recipe.batch }

  /// - Throws: `TrainingError` when there are too few pictures or labels do not fit them;
  ///   `ArchitectureError` when the pictures' sides are not multiples of 4.
  public init(
    images: any ImageSource, labels: [UInt8], recipe: ClassifierRecipe, version: String,
    pool: WorkerPool
  ) throws {
    guard labels.count == images.count else {
      throw TrainingError.labels("\(labels.count) labels for \(images.count) pictures")
    }
    let classes = Int(labels.max() ?? 0) + 1
    guard classes >= 2 else { throw TrainingError.labels("all of them are 0") }
    let heldOut = min(recipe.heldOut, images.count / 10)
    guard images.count - heldOut >= recipe.batch, heldOut >= 1 else {
      throw TrainingError.tooFewPictures(
        found: images.count, needed: recipe.batch * 10 / 9 + 10,
        reason: "a step (--batch) needs \(recipe.batch), and a tenth is held out; lower that option"
      )
    }
    self.images = images
    self.labels = labels
    self.recipe = recipe
    self.version = version
    self.classes = classes
    self.pool = pool
    split = DataSplit(count: images.count, heldOut: heldOut, seed: recipe.seed)
    key = RandomKey(seed: recipe.seed).child("classifier")
    let network = try Network(
      domain: images.shape, layers: try recipe.layers(image: images.shape, classes: classes),
      key: key.child("weights"))
    let packed = PackedNetwork(training: network)
    self.packed = packed
    optimizer = Optimizer(
      weights: packed.weights, layout: packed.layout, options: recipe.optimizer, pool: pool,
      decays: { $0.shape.rank > 1 })
    schedule = LearningRateSchedule(
      peak: recipe.rate, warmupSteps: recipe.warmupSteps,
      totalSteps: max(1, recipe.epochs * ((images.count - heldOut) / recipe.batch)))
    var shards: [ClassifyingShard] = []
    for _ in 0..<recipe.shards {
      shards.append(
        try ClassifyingShard(packed, classes: classes, lanes: recipe.batch / recipe.shards))
    }
    self.shards = shards
  }

  /// Trains to the end, or until `progress` returns false.
  /// - Returns: the classifier, or nil when stopped.
  public func run(progress: (TrainingProgress) -> Bool) throws -> Classifier? {
    let heldOut = ImageSubset(images, split.heldOut)
    let heldOutLabels = split.heldOut.map { labels[$0] }
    let meter = ProgressMeter(
      stage: .classifier, epochs: recipe.epochs, firstEpoch: 0, stepsPerEpoch: stepsPerEpoch,
      batch: recipe.batch)
    var best: (network: Network, accuracy: Double, epoch: Int)?
    for epoch in 0..<recipe.epochs {
      let stepsBefore = optimizer.steps
      guard
        runEpoch(
          epoch,
          report: { step, loss in progress(meter.progress(epoch: epoch, step: step, value: loss)) })
      else { return nil }
      try optimizer.check(epoch: epoch, stepsBefore: stepsBefore, of: stepsPerEpoch)
      let network = try packed.network(weights: optimizer.average.array)
      let measured = try ClassifierMeasurements(
        heldOut, labels: heldOutLabels, network: network, pool: pool)
      heldOutAccuracies.append(measured.accuracy)
      if measured.accuracy > best?.accuracy ?? -1 {
        best = (network, measured.accuracy, epoch + 1)
      }
    }
    guard let best else { preconditionFailure("a recipe has at least one epoch") }
    let shape = images.shape
    return try Classifier(
      description: ClassifierDescription(
        name: recipe.name, image: .init(channels: shape[0], height: shape[1], width: shape[2]),
        classes: classes, layers: best.network.layers,
        training: ClassifierRecord(
          data: recipe.data, pictures: split.training.count, heldOut: split.heldOut.count,
          seed: recipe.seed, epochs: recipe.epochs, bestEpoch: best.epoch,
          version: version, heldOutAccuracy: best.accuracy)),
      network: best.network)
  }

  /// One pass over the training pictures in an order drawn for this epoch; false when stopped.
  private func runEpoch(_ epoch: Int, report: (Int, Double) -> Bool) -> Bool {
    var stream = key.child("order").child(epoch).stream()
    let order = stream.permutation(split.training.count)
    for step in 0..<stepsPerEpoch {
      let stepKey = key.child("dropout").child(epoch).child(step)
      pool.run(shards.count) { [shards, images, labels, recipe, split] index in
        let shard = shards[index]
        let first = step * recipe.batch + index * shard.lanes
        let pictures = (0..<shard.lanes).map { split.training[order[first + $0]] }
        for (lane, picture) in pictures.enumerated() {
          images.copy(picture, into: shard.image(lane))
        }
        shard.run(labels: pictures.map { labels[$0] }, key: stepKey.child(index))
      }
      optimizer.step(
        shards.map(\.gradients), rate: schedule.rate(at: epoch * stepsPerEpoch + step))
      let loss = shards.reduce(0) { $0 + $1.loss } / Double(shards.count)
      if !report(step + 1, loss) { return false }
    }
    return true
  }
}

/// One worker's share of a batch.
private final class ClassifyingShard {
  let lanes: Int
  let gradients: FloatBuffer
  /// Mean cross-entropy of the latest `run`, nats.
  private(set) var loss = 0.0
  private let plan: NetworkPlan
  private let pixels: Int
  private let classes: Int
  private let images: FloatBuffer
  private let outputs: FloatBuffer

  init(_ network: PackedNetwork, classes: Int, lanes: Int) throws(PlanError) {
    self.lanes = lanes
    self.classes = classes
    plan = try NetworkPlan(network: network, lanes: lanes, mode: .training)
    gradients = FloatBuffer(network.layout.count)
    pixels = network.shapes[0].count
    images = FloatBuffer(lanes * pixels)
    outputs = FloatBuffer(lanes * classes)
  }

  func image(_ lane: Int) -> UnsafeMutablePointer<Float> { images.pointer + lane * pixels }

  func run(labels: [UInt8], key: RandomKey) {
    plan.drawDropout(key)
    var span = outputs.buffer.mutableSpan
    plan.apply(images.buffer.span, into: &span)
    loss =
      CrossEntropy.pullBack(outputs.pointer, labels: labels, classes: classes) / Double(lanes)
    plan.vjp(outputs.buffer.span, gradients: gradients, dx: nil)
  }
}
