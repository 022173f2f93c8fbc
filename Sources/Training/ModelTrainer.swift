import Flows
import Foundation
import ImageFiles
import Inversion
import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Workers

/// A model of any objective: its stages, its residual, and checkpoints in between.
public final class ModelTrainer {
  let images: any ImageSource
  let recipe: TrainingRecipe
  let split: DataSplit
  let pool: WorkerPool
  let version: String
  var state: TrainingState
  /// When a checkpoint is due within an epoch.
  package var clock = CheckpointClock()
  /// Whose autoencoder is kept; nil where stage 1 is trained.
  private let kept: PAEModel?

  /// A fresh training.
  /// - Parameter kept: the model that the recipe keeps the autoencoder of, if it does.
  /// - Throws: `TrainingError.tooFewPictures`; `ArchitectureError` or `NetworkError` when the
  ///   architecture does not fit the pictures.
  public init(
    images: any ImageSource, recipe: TrainingRecipe, keeping kept: PAEModel? = nil,
    version: String, pool: WorkerPool
  ) throws {
    precondition((kept == nil) == (recipe.keptAutoencoder == nil))
    let split = recipe.split(of: images)
    let need = SmallestSet(recipe)
    guard split.training.count >= need.training, !split.heldOut.isEmpty else {
      throw TrainingError.tooFewPictures(
        found: images.count, needed: need.all, reason: need.reason)
    }
    guard Architecture(rawValue: recipe.architecture) != nil else {
      throw TrainingError.unknownArchitecture(recipe.architecture)
    }
    self.images = images
    self.recipe = recipe
    self.version = version
    self.pool = pool
    self.split = split
    state = TrainingState()
    self.kept = kept
    if let kept { try kept.checkHeldOut(images: images, pool: pool) }
  }

  /// Trains to the end, or until `progress` returns false.
  /// - Parameters:
  ///   - checkpoint: a file written after the first epoch of each stage and every two minutes; nil for none.
  /// - Returns: the model, or nil when stopped.
  public func run(
    checkpoint: String?, progress: (TrainingProgress) -> Bool
  ) throws -> PAEModel? {
    func store() throws {
      if let checkpoint { try writeCheckpoint(to: checkpoint) }
      clock.restart()
    }
    clock.restart()
    guard let system = try recipe.system() else { return try principalComponents() }
    guard
      let networks = try kept.map(TrainedNetworks.init)
        ?? linearAutoencoder()
        ?? trainAutoencoder(system.coding, progress: progress, store: store)
    else { return nil }
    let encoder = networks.codes
    let training = try AutoencoderMeasurements(
      ImageSubset(images, split.training), encoder: encoder, decoder: networks.decoder, pool: pool)
    let heldOut = try AutoencoderMeasurements(
      ImageSubset(images, split.heldOut), encoder: encoder, decoder: networks.decoder,
      keepsResiduals: true, pool: pool)
    let fitted: NormalizingFlow?
    switch system.prior {
    case .flow:
      fitted = try fitFlow(
        training.codes, heldOut: heldOut.codes, progress: progress, store: store
      ).map {
        recipe.allowsGaussian
          ? try betterThanGaussian($0, codes: training.codes, heldOut: heldOut.codes) : $0
      }
    case .gaussian: fitted = try gaussianFlow(training.codes)
    case .standardNormal: fitted = try identityFlow()
    case .jointFlow: fitted = networks.flow
    }
    guard let flow = fitted else { return nil }
    guard progress(TrainingProgress(beginning: .residual)) else { return nil }
    let residual = ResidualFit(
      heldOut.residuals, means: heldOut.reconstructions, rounding: images.roundingVariance,
      dimension: images.shape.count)
    var options = recipe.objective.record
    if recipe.objective.name.encodesVariances, options != nil {
      try PosteriorMeasurements(
        ImageSubset(images, split.heldOut), encoder: networks.encoder, decoder: networks.decoder,
        flow: flow, key: RandomKey(seed: recipe.seed).child("held-out draws")
      ).note(in: &options!)
    }
    var record = try record(flow, training: training, heldOut: heldOut)
    record.epochs =
      recipe.architecture == Architecture.linear.rawValue ? 0 : recipe.autoencoder.epochs
    record.bestEpoch =
      state.bestNetworks?.epoch ?? kept?.description.training?.bestEpoch
    record.flowEpochs = state.flowEpoch
    record.objective = options
    record.note(residual)
    return try PAEModel(
      description: description(
        encoder: networks.encoder, decoder: networks.decoder, flow: flow,
        residual: residual.description, record: record),
      encoder: networks.encoder, decoder: networks.decoder, flow: flow,
      residual: residual.covariance, intensityVariance: residual.intensityVariance)
  }

  /// What is the same for all objectives; epochs are left at zero.
  func record(
    _ flow: NormalizingFlow, training: AutoencoderMeasurements, heldOut: AutoencoderMeasurements
  ) throws -> TrainingRecord {
    let gaussian = try FittedGaussian(codes: training.codes, dimension: recipe.latent)
    let gaussianValues = gaussian.logDensity(of: heldOut.codes)
    var result = TrainingRecord(
      data: recipe.data, pictures: split.training.count, heldOut: split.heldOut.count,
      seed: recipe.seed, epochs: 0, flowEpochs: 0, version: version,
      heldOutError: heldOut.meanSquaredError,
      heldOutFlowLogLikelihood: try flow.meanLogDensity(of: heldOut.codes),
      heldOutGaussianLogLikelihood: accurateSum(gaussianValues) / Double(gaussianValues.count))
    result.comparison = comparison()
    result.symmetries = recipe.symmetries == .none ? nil : recipe.symmetries.rawValue
    return result
  }

  func description(
    encoder: Network, decoder: Network, flow: NormalizingFlow,
    residual: ModelDescription.Residual, record: TrainingRecord
  ) -> ModelDescription {
    let shape = images.shape
    return ModelDescription(
      name: recipe.name,
      image: .init(channels: shape[0], height: shape[1], width: shape[2]),
      latent: recipe.latent, objective: recipe.objective.name, encoder: encoder.layers,
      decoder: decoder.layers, flow: flow.layers, residual: residual, training: record)
  }
}

extension Duration {
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
