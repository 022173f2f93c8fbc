import Flows
import Foundation
import Inversion
import Networks
import Numerics
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

/// Whole trainings of every objective on 300 small pictures.
@Suite struct ObjectiveTrainingTests {
  static let objectives: [TrainingObjective] = [
    .pae, .ae, .ppca, .vae(pixelDeviation: nil), .vae(pixelDeviation: 0.2),
    .betaVAE(beta: 20, capacity: 3, pixelDeviation: 0.2), .flowVAE(pixelDeviation: nil),
    .beta0VAE(posteriorDeviation: 0.2),
  ]

  private let folder = FileManager.default.temporaryDirectory.path

  private func recipe(_ objective: TrainingObjective) -> TrainingRecipe {
    var recipe = TrainingRecipe(
      name: "m", data: "spots", objective: objective, architecture: .mlp, latent: 3, seed: 7,
      epochs: 6, learningRate: 5e-3)
    recipe.setBatch(autoencoder: 30, flow: 60)
    recipe.autoencoder.warmupSteps = 5
    recipe.setFlow(FlowRequest(.affine, epochs: 3))
    recipe.flowLayers = [
      .affine, .luLinear, .affineCoupling(AffineCoupling(hidden: [8], transforms: .second)),
    ]
    return recipe
  }

  private func trainer(_ objective: TrainingObjective, threads: Int = 2) throws -> ModelTrainer {
    try ModelTrainer(
      images: Spots(count: 300), recipe: recipe(objective), version: "test",
      pool: WorkerPool(threads: threads))
  }

  private func weights(_ model: PAEModel) -> [Float] {
    model.recognition.parameters + model.decoder.parameters + model.flow.parameters
      + model.residual.variances + model.residual.factors
  }

  /// The mean squared error of the mean picture, of all 300.
  private func plainVariance() -> Double {
    let (_, moments) = SecondMoments.centered(Spots(count: 300))
    return moments.diagonal.reduce(0, +) / 64
  }

  /// What is trained to compress must explain some of the pictures' variance after six epochs.
  ///
  /// Seen to fail: the objective of the file always `pae`; the encoder's 2K outputs taken for codes; the flow of
  /// `ae` left the identity; the options not recorded; the joint flow left as it began.
  @Test("each objective makes a model that says what it is", arguments: objectives)
  func trains(_ objective: TrainingObjective) throws {
    let model = try #require(try trainer(objective).run(checkpoint: nil) { _ in true })
    #expect(model.description.objective == objective.name)
    let record = try #require(model.description.training)
    #expect(record.heldOutError < 0.8 * plainVariance())
    #expect(model.encoder.codomain == Shape(3))
    #expect(model.recognition.codomain.count == (objective.name.encodesVariances ? 6 : 3))
    let isIdentity = model.flow.layers == [.affine] && model.flow.parameters.allSatisfy { $0 == 0 }
    switch objective {
    case .pae, .beta0VAE:
      #expect(record.flowEpochs > 0 && model.flow.layers.count == 3)
    case .ae:
      #expect(model.flow.layers == [.affine, .luLinear])
      #expect(abs(record.heldOutFlowLogLikelihood - record.heldOutGaussianLogLikelihood) < 1e-3)
    case .vae, .betaVAE: #expect(isIdentity)
    case .ppca:
      #expect(isIdentity && record.epochs == 0)
      #expect(model.intensityResidual == nil && model.residual.rank == 0)
      let components = try #require(ProbabilisticPCA(model: model))
      // Single precision of W, μ and s²: a relative error of 6e-8 in squares of order 100.
      let split = DataSplit(count: 300, heldOut: 30, seed: 7)
      let rows = split.heldOut.flatMap { index -> [Float] in
        var picture = [Float](repeating: 0, count: 64)
        picture.withUnsafeMutableBufferPointer {
          Spots(count: 300).copy(index, into: $0.baseAddress!)
        }
        return picture
      }
      let values = components.logMarginal(of: rows)
      let mean = values.reduce(0, +) / 30
      #expect(abs(mean - record.objective!.heldOutLogLikelihood!) < 1e-2)
    case .flowVAE:
      #expect(model.flow.layers.count == 3)
      let lower = model.flow.layout.slots.first { $0.name == "flow.1.lower" }!
      #expect(model.flow.parameters[lower.offset + 3] != 0)
    }
    if objective == .pae || objective == .ae { #expect(record.objective == nil) }
    if let options = record.objective, objective.name.encodesVariances {
      #expect(options.heldOutDivergence! > 0)
      let s = options.pixelDeviation!
      if case .betaVAE = objective {
        #expect(options.beta == 20 && options.capacity == 3)
        // Held to C by β; one draw for each of 30 pictures scatters by √(K/2n) and more.
        #expect(abs(options.heldOutDivergence! - 3) < 1.5, "\(options)")
      }
      if options.isPixelDeviationLearned! {
        // Draws scatter: they err more than their mean, and s² is their error.
        #expect(s * s > record.heldOutError && s * s < plainVariance() * 1.2)
      } else {
        #expect(s == 0.2)
      }
      #expect(options.heldOutEvidenceBound!.isFinite)
    }
    if case .beta0VAE = objective { #expect(record.objective?.posteriorDeviation == 0.2) }
  }

  /// Seen to fail: the joint flow's state left out of the checkpoint; draws numbered by the steps of a plan;
  /// the joint flow's gradient not cleared between steps.
  @Test(
    "a training that was stopped goes on to the same bytes, on another number of threads",
    arguments: objectives.filter { $0 != .ppca })
  func resumes(_ objective: TrainingObjective) throws {
    let whole = try #require(try trainer(objective).run(checkpoint: nil) { _ in true })
    let path = "\(folder)/paeinvert-objective-\(objective.name.rawValue)-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let stopped = try trainer(objective).run(checkpoint: path) { progress in
      !(progress.stage == .autoencoder && progress.epoch == 4 && progress.step == 2)
    }
    #expect(stopped == nil)
    let again = try trainer(objective, threads: 1)
    try again.resume(from: path)
    let resumed = try #require(try again.run(checkpoint: nil) { _ in true })
    // Not compared inside the expectation, which would list how long vectors differ.
    let isSame = weights(resumed) == weights(whole)
    #expect(isSame)
    #expect(resumed.description.training?.objective == whole.description.training?.objective)
    // Another objective's checkpoint is refused.
    let other: TrainingObjective = objective == .ae ? .pae : .ae
    #expect(throws: TrainingError.self) { try trainer(other).resume(from: path) }
  }

  /// Of noise nothing but its mean carries over, and fifty-four pictures are soon known by heart. Fails when:
  /// the last weights are kept; the error is that of the training pictures; the best are left out of the
  /// checkpoint.
  @Test("an autoencoder is that of the epoch of the smallest held-out error")
  func keepsBest() throws {
    let images = Noise(count: 60)
    var recipe = recipe(.pae)
    recipe.autoencoder.epochs = 30
    recipe.setBatch(autoencoder: 6, flow: 12)
    let pool = WorkerPool(threads: 2)
    func trainer() throws -> ModelTrainer {
      try ModelTrainer(images: images, recipe: recipe, version: "test", pool: pool)
    }
    let whole = try trainer()
    let model = try #require(try whole.run(checkpoint: nil) { _ in true })
    let record = try #require(model.description.training)
    let best = try #require(whole.state.bestNetworks)
    #expect(record.bestEpoch == best.epoch && best.epoch < 25 && record.epochs == 30)
    #expect(record.heldOutError == best.error)
    let last = try AutoencoderMeasurements(
      ImageSubset(images, whole.split.heldOut),
      encoder: averaged(whole, .encoder, of: model.recognition),
      decoder: averaged(whole, .decoder, of: model.decoder), pool: pool)
    #expect(best.error < last.meanSquaredError)

    let path = "\(folder)/paeinvert-best-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let stopped = try trainer().run(checkpoint: path) {
      !($0.stage == .autoencoder && $0.epoch == best.epoch + 2)
    }
    #expect(stopped == nil)
    let again = try trainer()
    try again.resume(from: path)
    let resumed = try #require(try again.run(checkpoint: nil) { _ in true })
    let isSame = weights(resumed) == weights(model)
    #expect(isSame && resumed.description.training?.bestEpoch == best.epoch)
  }

  // Fails when: skipped steps are not counted; the flow's are not looked at.
  @Test("a training that goes astray says so instead of ending")
  func diverges() throws {
    var recipe = recipe(.pae)
    recipe.setBatch(autoencoder: 6, flow: 12)
    func run(_ images: any ImageSource) throws {
      _ = try ModelTrainer(
        images: images, recipe: recipe, version: "test", pool: WorkerPool(threads: 1)
      ).run(checkpoint: nil) { _ in true }
    }
    // Squares of these are beyond single precision: no gradient is finite, and no weight moves.
    #expect(throws: TrainingError.diverged(epoch: 0)) { try run(Noise(count: 60, scale: 1e30)) }
    recipe.flow.rate = 1e30
    recipe.flow.warmupSteps = 0
    #expect(throws: TrainingError.diverged(epoch: 0)) { try run(Noise(count: 60)) }
  }

  /// A network with the averaged weights of a trainer's last epoch.
  private func averaged(
    _ trainer: ModelTrainer, _ part: TrainingState.Part, of network: Network
  ) throws -> Network {
    let weights = try #require(trainer.state.optimizers[part]).average
    return try PackedNetwork(training: network).network(weights: weights)
  }

  /// Twelve epochs of eight steps. Seen to fail: the cotangents' sign; the encoder's step left out.
  @Test(
    "each objective lowers its own loss",
    arguments: objectives.filter { $0 != .ppca })
  func lowersItsLoss(_ objective: TrainingObjective) throws {
    let system = try #require(try recipe(objective).system())
    var options = recipe(objective).autoencoder
    options.epochs = 12
    let image = Shape(1, 8, 8)
    let outputs = system.coding.encoderOutputs(latent: 3)
    let trainer = try AutoencoderTrainer(
      images: Spots(count: 240),
      encoder: Network(
        domain: image, layers: Architecture.mlp.layers(image: image, latent: outputs).encoder,
        key: RandomKey(seed: 71)),
      decoder: Network(
        domain: Shape(3), layers: Architecture.mlp.layers(image: image, latent: 3).decoder,
        key: RandomKey(seed: 72)), objective: system.coding, options: options,
      key: RandomKey(seed: 73), pool: WorkerPool(threads: 2))
    var losses: [Double] = []
    for epoch in 0..<12 {
      _ = trainer.runEpoch(epoch) { _, _ in true }
      losses.append(trainer.epochLoss)
    }
    // β |KL − C| grows with C while C rises: it is judged from then on.
    let first = objective.name == .betaVAE ? losses[6] : losses[0]
    #expect(losses[11] < first, "\(losses)")
    #expect(trainer.latestCost.divergence.map { $0 > 0 } ?? true)
  }

  /// Seen to fail: the guard left out.
  @Test("the residual of principal components is not fitted again")
  func refit() throws {
    let model = try #require(try trainer(.ppca).run(checkpoint: nil) { _ in true })
    #expect(throws: TrainingError.fixedResidual(name: "m")) {
      try model.refittingResidual(images: Spots(count: 300), pool: WorkerPool(threads: 1))
    }
  }
}

/// Pictures of independent pixels.
private struct Noise: ImageSource {
  var roundingVariance: Float { 0 }
  var sources: [Int]? { nil }
  let shape = Shape(1, 8, 8)
  let count: Int
  var scale = 1.0

  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var stream = RandomKey(seed: 101).child(index).stream()
    for pixel in 0..<64 { target[pixel] = Float(scale * stream.uniform()) }
  }
}
