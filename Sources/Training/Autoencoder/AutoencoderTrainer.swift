import Flows
import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Workers

/// Stage 1: encoder and decoder that minimize an objective, averaged over a batch; with `PlainCodes`
/// Σ_pixels (x − g(e(x)))². A flow that the objective trains along is the third of the optimized parts.
///
/// A batch is cut in a fixed number of shards, one plan each; workers take shards, and the shards'
/// gradients are summed in order: the same weights for any number of threads.
package final class AutoencoderTrainer {
  package struct Options: Codable, Sendable, Equatable {
    package var batch = 128
    package var shards = 2
    package var epochs = 40
    package var rate = 2e-3
    package var warmupSteps = 500
    package var optimizer = Optimizer.Options()
    package init() {}
  }

  package let options: Options
  package let encoder: PackedNetwork
  package let decoder: PackedNetwork
  /// Of encoder, decoder, and the joint flow where there is one.
  package let optimizers: [Optimizer]
  /// What the latest step cost, and the mean loss of the latest whole epoch.
  package private(set) var latestCost = CodingCost(loss: .nan, divergence: nil, scale: 1)
  package private(set) var epochLoss = Double.nan
  private let jointFlow: JointFlow?
  private let flowSchedule: LearningRateSchedule
  private let images: any ImageSource
  private let schedule: LearningRateSchedule
  private let pool: WorkerPool
  private let shards: [Shard]
  private let key: RandomKey

  package var stepsPerEpoch: Int { images.count / options.batch }

  /// - Precondition: at least one batch of images; the batch is a multiple of the shards; the encoder
  ///   has as many outputs as the objective takes.
  package init(
    images: any ImageSource, encoder: Network, decoder: Network,
    objective: any CodingObjective = PlainCodes(), options: Options, key: RandomKey,
    pool: WorkerPool
  ) throws(PlanError) {
    precondition(images.count >= options.batch && options.batch % options.shards == 0)
    precondition(
      encoder.codomain.count == objective.encoderOutputs(latent: decoder.domain.count))
    self.images = images
    self.options = options
    self.key = key
    self.pool = pool
    let packedEncoder = PackedNetwork(training: encoder)
    let packedDecoder = PackedNetwork(training: decoder)
    self.encoder = packedEncoder
    self.decoder = packedDecoder
    jointFlow = objective.jointFlow
    optimizers =
      [packedEncoder, packedDecoder].map {
        Optimizer(
          weights: $0.weights, layout: $0.layout, options: options.optimizer, pool: pool,
          decays: { $0.shape.rank > 1 })
      } + (objective.jointFlow.map { [$0.makeOptimizer(pool: pool)] } ?? [])
    var shards: [Shard] = []
    for _ in 0..<options.shards {
      shards.append(
        try Shard(
          encoder: packedEncoder, decoder: packedDecoder, objective: objective,
          lanes: options.batch / options.shards))
    }
    self.shards = shards
    schedule = LearningRateSchedule(
      peak: options.rate, warmupSteps: options.warmupSteps,
      totalSteps: max(1, options.epochs * (images.count / options.batch)))
    var flowSchedule = schedule
    flowSchedule.peak = objective.jointFlow?.options.rate ?? options.rate
    self.flowSchedule = flowSchedule
  }

  /// One pass over the pictures in an order drawn for this epoch.
  /// - Parameters:
  ///   - done: steps of it that were done before a break.
  ///   - report: called after each step with the steps done and the batch's mean squared error per pixel;
  ///     returns false to stop early.
  /// - Returns: the mean over the steps run here of the mean squared error per pixel, or nil when stopped.
  package func runEpoch(
    _ epoch: Int, after done: Int = 0, report: (Int, Double) -> Bool
  ) -> Double? {
    var stream = key.child("order").child(epoch).stream()
    let order = stream.permutation(images.count)
    var total = 0.0
    var loss = 0.0
    for step in done..<stepsPerEpoch {
      let count = epoch * stepsPerEpoch + step
      let progress = Double(count) / Double(schedule.totalSteps)
      let stepKey = key.child("dropout").child(epoch).child(step)
      pool.run(shards.count) { [shards, images, options] index in
        let shard = shards[index]
        let first = step * options.batch + index * shard.lanes
        for lane in 0..<shard.lanes { images.copy(order[first + lane], into: shard.image(lane)) }
        shard.run(stepKey.child(index), progress: progress)
      }
      let error = shards.reduce(0) { $0 + $1.error } / Double(shards.count)
      total += error
      latestCost = .mean(of: shards.map(\.cost))
      loss += latestCost.loss
      let rate = schedule.rate(at: count)
      optimizers[0].step(shards.map(\.encoderGradients), rate: rate)
      optimizers[1].step(shards.map(\.decoderGradients), rate: rate)
      if optimizers.count > 2 {
        optimizers[2].step(
          shards.compactMap(\.flowGradients), rate: flowSchedule.rate(at: count))
      }
      if !report(step + 1, error) { return nil }
    }
    let run = Double(max(stepsPerEpoch - done, 1))
    epochLoss = loss / run
    return total / run
  }

  /// The networks with averaged weights.
  package func averagedNetworks() throws(NetworkError) -> (encoder: Network, decoder: Network) {
    try networks(
      encoder: optimizers[0].average.array, decoder: optimizers[1].average.array)
  }

  /// The networks with these weights, flat as the optimizers hold them.
  package func networks(
    encoder: [Float], decoder: [Float]
  ) throws(NetworkError) -> (encoder: Network, decoder: Network) {
    (
      try self.encoder.network(weights: encoder), try self.decoder.network(weights: decoder)
    )
  }

  /// The joint flow with averaged weights; nil where none is trained.
  package func averagedFlow() throws(FlowError) -> NormalizingFlow? {
    try jointFlow?.flow.replacing(parameters: optimizers[2].average.array)
  }
}

/// One worker's share of a batch.
private final class Shard {
  let lanes: Int
  let encoderGradients: FloatBuffer
  let decoderGradients: FloatBuffer
  /// Mean squared error per pixel at the latest `run`.
  private(set) var error = 0.0
  private(set) var cost = CodingCost(loss: .nan, divergence: nil, scale: 1)
  private let encoder: NetworkPlan
  private let decoder: NetworkPlan
  private let coding: any CodingPlan
  private let pixels: Int
  private let images: FloatBuffer
  private let encoded: FloatBuffer
  private let codes: FloatBuffer
  private let outputs: FloatBuffer
  private let codeCotangents: FloatBuffer
  private let encodedCotangents: FloatBuffer

  var flowGradients: FloatBuffer? { coding.flowGradient }

  init(
    encoder: PackedNetwork, decoder: PackedNetwork, objective: any CodingObjective, lanes: Int
  ) throws(PlanError) {
    self.lanes = lanes
    let latent = decoder.shapes[0].count
    self.encoder = try NetworkPlan(network: encoder, lanes: lanes, mode: .training)
    self.decoder = try NetworkPlan(network: decoder, lanes: lanes, mode: .training)
    encoderGradients = FloatBuffer(encoder.layout.count)
    decoderGradients = FloatBuffer(decoder.layout.count)
    pixels = encoder.shapes[0].count
    images = FloatBuffer(lanes * pixels)
    outputs = FloatBuffer(lanes * pixels)
    coding = try objective.makePlan(lanes: lanes, latent: latent, elements: pixels)
    encoded = FloatBuffer(lanes * objective.encoderOutputs(latent: latent))
    encodedCotangents = FloatBuffer(encoded.count)
    codes = FloatBuffer(lanes * latent)
    codeCotangents = FloatBuffer(lanes * latent)
  }

  func image(_ lane: Int) -> UnsafeMutablePointer<Float> { images.pointer + lane * pixels }

  /// Error, cost and gradients of this shard's mean loss, scaled as `CodingObjective` says.
  /// - Parameter progress: how much of the training is done, 0 … 1.
  func run(_ key: RandomKey, progress: Double) {
    encoder.drawDropout(key.child("encoder"))
    decoder.drawDropout(key.child("decoder"))
    var encodedSpan = encoded.buffer.mutableSpan
    encoder.apply(images.buffer.span, into: &encodedSpan)
    coding.draw(encoded.pointer, into: codes.pointer, key: key.child("draws"))
    var outputSpan = outputs.buffer.mutableSpan
    decoder.apply(codes.buffer.span, into: &outputSpan)
    // d/dg of Σ (g − x)² / lanes, in place of the outputs.
    var squares = 0.0
    let factor = 2 / Float(lanes)
    for lane in 0..<lanes {
      let x = images.pointer + lane * pixels
      let y = outputs.pointer + lane * pixels
      var sum = Vector(repeating: 0)
      forEachVector(pixels, y, x, into: y) { y, x in
        let difference = y - x
        sum += difference * difference
        return difference * factor
      }
      squares += Double(sum.sum())
    }
    error = squares / Double(lanes * pixels)
    decoder.vjp(
      outputs.buffer.span, gradients: decoderGradients, dx: codeCotangents.pointer)
    let step = CodingStep(
      outputs: encoded.pointer, codes: codes.pointer, codeCotangents: codeCotangents.pointer,
      squares: squares / Double(lanes), progress: progress)
    cost = coding.pullBack(step, into: encodedCotangents.pointer)
    encoder.vjp(encodedCotangents.buffer.span, gradients: encoderGradients, dx: nil)
  }
}
