import Foundation
import Networks
import Numerics
import Randomness
import Tensors
import Testing
import Training
import Workers

@Suite struct AutoencoderTrainerTests {
  /// All that a trainer must carry: convolutions, normalization, dropout, reshapes.
  private func networks() throws -> (encoder: Network, decoder: Network) {
    let image = Shape(1, 8, 8)
    return (
      try Network(
        domain: image,
        layers: [
          .conv(inputs: 1, outputs: 6, kernel: 4, stride: 2, padding: 1), .batchNorm(channels: 6),
          .leakyRelu(slope: 0.2), .flatten, .dropout(rate: 0.05), .linear(inputs: 96, outputs: 3),
        ], key: RandomKey(seed: 1)),
      try Network(
        domain: Shape(3),
        layers: [
          .linear(inputs: 3, outputs: 96), .silu, .reshape(Shape(6, 4, 4)),
          .convTranspose(inputs: 6, outputs: 1, kernel: 4, stride: 2, padding: 1), .sigmoid,
        ], key: RandomKey(seed: 2))
    )
  }

  private func trainer(
    threads: Int, seed: UInt64 = 3, images: Int = 200
  ) throws -> AutoencoderTrainer {
    var options = AutoencoderTrainer.Options()
    options.batch = 24
    options.shards = 3
    options.epochs = 12
    options.rate = 1e-2
    options.warmupSteps = 5
    let (encoder, decoder) = try networks()
    return try AutoencoderTrainer(
      images: Spots(count: images), encoder: encoder, decoder: decoder, options: options,
      key: RandomKey(seed: seed), pool: WorkerPool(threads: threads))
  }

  /// Seen to fail: the cotangent's sign; the encoder's step left out (its weights, then, are those
  /// of the start).
  @Test("training reduces the loss, of the averaged networks too")
  func learns() throws {
    let trainer = try trainer(threads: 2)
    #expect(trainer.stepsPerEpoch == 8)
    var reports: [(Int, Double)] = []
    let errors = try (0..<12).map { epoch in
      try #require(
        trainer.runEpoch(epoch) { step, error in
          reports.append((step, error))
          return true
        })
    }
    #expect(reports.map(\.0) == (0..<12).flatMap { _ in 1...8 })
    let mean = reports.prefix(8).reduce(0) { $0 + $1.1 } / 8
    #expect(abs(errors[0] - mean) < 1e-12)
    #expect(errors[11] < 0.3 * errors[0])
    let start = try networks()
    let trained = try trainer.averagedNetworks()
    #expect(try error(start) > 3 * error(trained))
    for (before, after) in [(start.encoder, trained.encoder), (start.decoder, trained.decoder)] {
      for slot in before.layout.slots {
        let range = slot.offset..<slot.offset + slot.shape.count
        #expect(before.parameters[range] != after.parameters[range], "\(slot.name) has moved")
      }
    }
  }

  @Test("the weights do not depend on the number of threads, and do on the key")
  func threads() throws {
    let runs = try [1, 2, 3].map { try weights(trainer(threads: $0)) }
    #expect(runs[1] == runs[0])
    #expect(runs[2] == runs[0])
    #expect(try weights(trainer(threads: 1, seed: 4)) != runs[0])
  }

  /// Seen to fail: the error summed over the shards; the last lane of a shard left at zero.
  @Test("the reported error is the mean squared error per pixel before the step")
  func reportedError() throws {
    // Networks without dropout or normalization, and one batch, so that it can be computed outside.
    let layers = try Architecture.mlp.layers(image: Shape(1, 8, 8), latent: 3)
    let pair = (
      encoder: try Network(
        domain: Shape(1, 8, 8), layers: layers.encoder, key: RandomKey(seed: 5)),
      decoder: try Network(domain: Shape(3), layers: layers.decoder, key: RandomKey(seed: 6))
    )
    var options = AutoencoderTrainer.Options()
    options.batch = 200
    options.shards = 4
    let trainer = try AutoencoderTrainer(
      images: Spots(count: 200), encoder: pair.encoder, decoder: pair.decoder, options: options,
      key: RandomKey(seed: 7), pool: WorkerPool(threads: 2))
    var reported = 0.0
    _ = trainer.runEpoch(0) { _, error in
      reported = error
      return true
    }
    #expect(abs(reported / (try error(pair)) - 1) < 1e-5)
  }

  /// Elements of the averaged weights after two epochs, pinned before there were other objectives. Other
  /// machines round otherwise: 1e-7 a step, 16 steps of at most 1e-2 that may be ten times that apart.
  /// Seen to fail: dropout masks keyed by the step's successor.
  @Test("the plain autoencoder's weights are those of before there were other objectives")
  func golden() throws {
    let trainer = try trainer(threads: 1)
    var errors: [Double] = []
    for epoch in 0..<2 { errors.append(try #require(trainer.runEpoch(epoch) { _, _ in true })) }
    let networks = try trainer.averagedNetworks()
    let (encoder, decoder) = (networks.encoder.parameters, networks.decoder.parameters)
    let values = [encoder[5], encoder[encoder.count - 2], decoder[7], decoder[decoder.count - 1]]
    let expected: [Float] = [0.254806, -0.092638, -0.848807, -0.116671]
    for (value, wanted) in zip(values, expected) {
      #expect(abs(value - wanted) < 1e-4, "\(values)")
    }
    #expect(abs(errors[1] - 0.111104) < 1e-5, "\(errors)")
  }

  @Test("an epoch ends when the report says so")
  func stops() throws {
    let trainer = try trainer(threads: 1)
    var last = 0
    let result = trainer.runEpoch(0) { step, _ in
      last = step
      return step < 3
    }
    #expect(result == nil && last == 3)
    #expect(trainer.optimizers.map(\.steps) == [3, 3])
  }

  private func weights(_ trainer: AutoencoderTrainer) throws -> [Float] {
    for epoch in 0..<2 { _ = trainer.runEpoch(epoch) { _, _ in true } }
    let networks = try trainer.averagedNetworks()
    return networks.encoder.parameters + networks.decoder.parameters
      + trainer.optimizers.flatMap(\.weights.array)
  }

  /// Mean squared error per pixel of all pictures.
  private func error(_ networks: (encoder: Network, decoder: Network)) throws -> Double {
    let spots = Spots(count: 200)
    let lanes = spots.count
    var images = [Float](repeating: 0, count: lanes * 64)
    images.withUnsafeMutableBufferPointer { images in
      for index in 0..<lanes { spots.copy(index, into: images.baseAddress! + index * 64) }
    }
    var codes = [Float](repeating: 0, count: lanes * 3)
    var codeSpan = codes.mutableSpan
    try networks.encoder.makePlan(lanes: lanes).apply(images.span, into: &codeSpan)
    var decoded = images
    var decodedSpan = decoded.mutableSpan
    try networks.decoder.makePlan(lanes: lanes).apply(codes.span, into: &decodedSpan)
    return accurateSum(zip(images, decoded).map { ($0 - $1) * ($0 - $1) }) / Double(images.count)
  }
}
