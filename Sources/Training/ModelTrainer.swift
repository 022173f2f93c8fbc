import Flows
import Foundation
import ImageFiles
import Inversion
import Maps
import Networks
import Randomness
import Tensors
import Workers

/// Both stages of a Probabilistic Autoencoder, its residual, and checkpoints in between.
public final class ModelTrainer {
  let images: any ImageSource
  let recipe: TrainingRecipe
  let split: DataSplit
  let pool: WorkerPool
  let version: String
  var state: TrainingState

  /// A fresh training.
  /// - Throws: `TrainingError.tooFewPictures`; `ArchitectureError` or `NetworkError` when the
  ///   architecture does not fit the pictures.
  public init(
    images: any ImageSource, recipe: TrainingRecipe, version: String, pool: WorkerPool
  ) throws {
    let heldOut = min(recipe.heldOut, images.count / 10)
    let smallest = max(recipe.autoencoder.batch, recipe.flow.batch, recipe.latent + 1)
    guard images.count - heldOut >= smallest, heldOut >= 1 else {
      throw TrainingError.tooFewPictures(found: images.count, needed: smallest * 10 / 9 + 10)
    }
    guard Architecture(rawValue: recipe.architecture) != nil else {
      throw TrainingError.unknownArchitecture(recipe.architecture)
    }
    self.images = images
    self.recipe = recipe
    self.version = version
    self.pool = pool
    split = DataSplit(count: images.count, heldOut: heldOut, seed: recipe.seed)
    state = TrainingState()
  }

  /// Trains to the end, or until `progress` returns false.
  /// - Parameters:
  ///   - checkpoint: a file written after every epoch and removed at the end; nil for none.
  /// - Returns: the model, or nil when stopped.
  public func run(
    checkpoint: String?, progress: (TrainingProgress) -> Bool
  ) throws -> PAEModel? {
    let clock = ContinuousClock()
    let start = clock.now
    let before = state.seconds
    func seconds() -> Double { before + (clock.now - start).inSeconds }
    func store() throws {
      state.seconds = seconds()
      if let checkpoint { try writeCheckpoint(to: checkpoint) }
    }
    guard let networks = try trainAutoencoder(progress: progress, store: store) else { return nil }
    let (encoder, decoder) = networks
    let training = try AutoencoderMeasurements(
      ImageSubset(images, split.training), encoder: encoder, decoder: decoder, pool: pool)
    let heldOut = try AutoencoderMeasurements(
      ImageSubset(images, split.heldOut), encoder: encoder, decoder: decoder,
      keepsResiduals: true, pool: pool)
    guard
      let flow = try trainFlow(
        training.codes, heldOut: heldOut.codes, progress: progress, store: store)
    else { return nil }
    let gaussian = try FittedGaussian(codes: training.codes, dimension: recipe.latent)
    let gaussianValues = gaussian.logDensity(of: heldOut.codes)
    let shape = images.shape
    let residual = ResidualFit(
      heldOut.residuals, means: heldOut.reconstructions, rounding: images.roundingVariance,
      dimension: shape.count)
    var record = TrainingRecord(
      data: recipe.data, pictures: split.training.count, heldOut: split.heldOut.count,
      seed: recipe.seed, epochs: recipe.autoencoder.epochs, flowEpochs: state.flowEpoch,
      wallSeconds: seconds().rounded(), version: version, heldOutError: heldOut.meanSquaredError,
      heldOutFlowLogLikelihood: state.bestLogLikelihood,
      heldOutGaussianLogLikelihood: accurateSum(gaussianValues) / Double(gaussianValues.count))
    record.note(residual)
    let model = try PAEModel(
      description: ModelDescription(
        name: recipe.name,
        image: .init(channels: shape[0], height: shape[1], width: shape[2]),
        latent: recipe.latent, objective: .pae, encoder: encoder.layers, decoder: decoder.layers,
        flow: flow.layers, residual: residual.description,
        training: record),
      encoder: encoder, decoder: decoder, flow: flow,
      residual: residual.covariance, intensityVariance: residual.intensityVariance)
    return model
  }

  /// Stage 1 from where `state` stands.
  private func trainAutoencoder(
    progress: (TrainingProgress) -> Bool, store: () throws -> Void
  ) throws -> (encoder: Network, decoder: Network)? {
    let key = RandomKey(seed: recipe.seed).child("autoencoder")
    let architecture = Architecture(rawValue: recipe.architecture) ?? .conv
    let layers = try architecture.layers(image: images.shape, latent: recipe.latent)
    let trainer = try AutoencoderTrainer(
      images: ImageSubset(images, split.training),
      encoder: Network(
        domain: images.shape, layers: layers.encoder, key: key.child("encoder")),
      decoder: Network(
        domain: Shape(recipe.latent), layers: layers.decoder, key: key.child("decoder")),
      options: recipe.autoencoder, key: key, pool: pool)
    try state.restore(.encoder, to: trainer.optimizers[0])
    try state.restore(.decoder, to: trainer.optimizers[1])
    let meter = ProgressMeter(
      stage: .autoencoder, epochs: recipe.autoencoder.epochs, firstEpoch: state.autoencoderEpoch,
      stepsPerEpoch: trainer.stepsPerEpoch, batch: recipe.autoencoder.batch)
    while state.autoencoderEpoch < recipe.autoencoder.epochs {
      let epoch = state.autoencoderEpoch
      guard
        trainer.runEpoch(
          epoch,
          report: { step, error in progress(meter.progress(epoch: epoch, step: step, value: error))
          }) != nil
      else { return nil }
      guard trainer.optimizers.allSatisfy({ $0.weights.array.allSatisfy(\.isFinite) }) else {
        throw TrainingError.diverged(epoch: epoch)
      }
      state.autoencoderEpoch += 1
      state.keep(.encoder, trainer.optimizers[0])
      state.keep(.decoder, trainer.optimizers[1])
      try store()
    }
    return try trainer.averagedNetworks()
  }

  /// Stage 2 from where `state` stands.
  private func trainFlow(
    _ codes: [Float], heldOut: [Float], progress: (TrainingProgress) -> Bool,
    store: () throws -> Void
  ) throws -> NormalizingFlow? {
    let trainer = try FlowTrainer(
      layers: recipe.flowLayers, codes: codes, heldOut: heldOut, dimension: recipe.latent,
      options: recipe.flow, key: RandomKey(seed: recipe.seed).child("flow"), pool: pool)
    try state.restore(.flow, to: trainer.optimizer)
    if let best = state.bestFlow {
      trainer.restore(
        best: best, logLikelihood: state.bestLogLikelihood,
        epochsSinceBest: state.epochsSinceBest)
    }
    let meter = ProgressMeter(
      stage: .flow, epochs: recipe.flow.epochs, firstEpoch: state.flowEpoch,
      stepsPerEpoch: trainer.stepsPerEpoch, batch: recipe.flow.batch)
    while state.flowEpoch < recipe.flow.epochs && !trainer.isDone {
      let epoch = state.flowEpoch
      let result = try trainer.runEpoch(epoch) { step, value in
        progress(meter.progress(epoch: epoch, step: step, value: value))
      }
      guard result != nil else { return nil }
      state.flowEpoch += 1
      state.keep(.flow, trainer.optimizer)
      state.bestFlow = trainer.best.parameters
      state.bestLogLikelihood = trainer.best.logLikelihood
      state.epochsSinceBest = trainer.epochsSinceBest
      try store()
    }
    return try trainer.bestFlow()
  }
}

/// Why training could not begin, go on or end.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  case tooFewPictures(found: Int, needed: Int)
  case unknownArchitecture(String)
  case diverged(epoch: Int)
  /// A model that does not say which pictures were held out of its training.
  case noRecord(name: String)
  /// Not the pictures that the model was trained on.
  case otherPictures(what: String)
  /// The checkpoint belongs to another recipe or other pictures.
  case checkpointDiffers(path: String, what: String)

  public var description: String {
    switch self {
    case .tooFewPictures(let found, let needed):
      "\(found) pictures are too few to train on: give at least \(needed), or a smaller --batch"
    case .unknownArchitecture(let name):
      "there is no architecture '\(name)': use "
        + Architecture.allCases.map(\.rawValue).joined(separator: ", ")
    case .diverged(let epoch):
      "training diverged in epoch \(epoch + 1): lower --learning-rate"
    case .noRecord(let name):
      "the model \(name) does not say how it was trained: its residual cannot be fitted again"
    case .otherPictures(let what):
      "these are not the pictures that the model was trained on: \(what)"
    case .checkpointDiffers(let path, let what):
      "the checkpoint \(path) is of another training (\(what) differs): give the options it was "
        + "begun with, or train without --resume"
    }
  }
}

extension Duration {
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
