import Maps
import Networks
import Randomness
import Tensors
import Workers

/// Stage 1: encoder e and decoder g that minimize Σ_pixels (x − g(e(x)))², averaged over a batch.
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
  package let optimizers: [Optimizer]
  private let images: any ImageSource
  private let schedule: LearningRateSchedule
  private let pool: WorkerPool
  private let shards: [Shard]
  private let key: RandomKey

  package var stepsPerEpoch: Int { images.count / options.batch }

  /// - Precondition: at least one batch of images; the batch is a multiple of the shards.
  package init(
    images: any ImageSource, encoder: Network, decoder: Network, options: Options, key: RandomKey,
    pool: WorkerPool
  ) throws(PlanError) {
    precondition(images.count >= options.batch && options.batch % options.shards == 0)
    self.images = images
    self.options = options
    self.key = key
    self.pool = pool
    let packedEncoder = PackedNetwork(training: encoder)
    let packedDecoder = PackedNetwork(training: decoder)
    self.encoder = packedEncoder
    self.decoder = packedDecoder
    optimizers = [packedEncoder, packedDecoder].map {
      Optimizer(
        weights: $0.weights, layout: $0.layout, options: options.optimizer, pool: pool,
        decays: { $0.shape.rank > 1 })
    }
    var shards: [Shard] = []
    for _ in 0..<options.shards {
      shards.append(
        try Shard(
          encoder: packedEncoder, decoder: packedDecoder, lanes: options.batch / options.shards))
    }
    self.shards = shards
    schedule = LearningRateSchedule(
      peak: options.rate, warmupSteps: options.warmupSteps,
      totalSteps: max(1, options.epochs * (images.count / options.batch)))
  }

  /// One pass over the pictures in an order drawn for this epoch.
  /// - Parameter report: called after each step with the steps done and the batch's mean squared
  ///   error per pixel; returns false to stop early.
  /// - Returns: the mean over steps of the mean squared error per pixel, or nil when stopped.
  package func runEpoch(_ epoch: Int, report: (Int, Double) -> Bool) -> Double? {
    var stream = key.child("order").child(epoch).stream()
    let order = stream.permutation(images.count)
    var total = 0.0
    for step in 0..<stepsPerEpoch {
      let dropoutKey = key.child("dropout").child(epoch).child(step)
      pool.run(shards.count) { [shards, images, options] index in
        let shard = shards[index]
        let first = step * options.batch + index * shard.lanes
        for lane in 0..<shard.lanes { images.copy(order[first + lane], into: shard.image(lane)) }
        shard.run(dropoutKey.child(index))
      }
      let error = shards.reduce(0) { $0 + $1.error } / Double(shards.count)
      total += error
      let rate = schedule.rate(at: epoch * stepsPerEpoch + step)
      optimizers[0].step(shards.map(\.encoderGradients), rate: rate)
      optimizers[1].step(shards.map(\.decoderGradients), rate: rate)
      if !report(step + 1, error) { return nil }
    }
    return total / Double(stepsPerEpoch)
  }

  /// The networks with averaged weights.
  package func averagedNetworks() throws(NetworkError) -> (encoder: Network, decoder: Network) {
    (
      try encoder.network(weights: optimizers[0].average.array),
      try decoder.network(weights: optimizers[1].average.array)
    )
  }
}

/// One worker's share of a batch.
private final class Shard {
  let lanes: Int
  let encoderGradients: FloatBuffer
  let decoderGradients: FloatBuffer
  /// Mean squared error per pixel at the latest `run`.
  private(set) var error = 0.0
  private let encoder: NetworkPlan
  private let decoder: NetworkPlan
  private let pixels: Int
  private let images: FloatBuffer
  private let codes: FloatBuffer
  private let outputs: FloatBuffer
  private let codeCotangents: FloatBuffer

  init(encoder: PackedNetwork, decoder: PackedNetwork, lanes: Int) throws(PlanError) {
    self.lanes = lanes
    self.encoder = try NetworkPlan(network: encoder, lanes: lanes, mode: .training)
    self.decoder = try NetworkPlan(network: decoder, lanes: lanes, mode: .training)
    encoderGradients = FloatBuffer(encoder.layout.count)
    decoderGradients = FloatBuffer(decoder.layout.count)
    pixels = encoder.shapes[0].count
    images = FloatBuffer(lanes * pixels)
    outputs = FloatBuffer(lanes * pixels)
    codes = FloatBuffer(lanes * decoder.shapes[0].count)
    codeCotangents = FloatBuffer(lanes * decoder.shapes[0].count)
  }

  func image(_ lane: Int) -> UnsafeMutablePointer<Float> { images.pointer + lane * pixels }

  /// Error and gradients of this shard's mean loss.
  func run(_ dropoutKey: RandomKey) {
    encoder.drawDropout(dropoutKey.child("encoder"))
    decoder.drawDropout(dropoutKey.child("decoder"))
    var codeSpan = codes.buffer.mutableSpan
    encoder.apply(images.buffer.span, into: &codeSpan)
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
    encoder.vjp(codeCotangents.buffer.span, gradients: encoderGradients, dx: nil)
  }
}
