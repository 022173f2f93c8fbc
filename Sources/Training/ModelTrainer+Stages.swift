import Flows
import Inversion
import Networks
import Noise
import Numerics
import Randomness
import Tensors

/// What stage 1 leaves: averaged weights.
struct TrainedNetworks {
  /// All that the encoder gives, K or 2K outputs.
  let encoder: Network
  /// Its K codes, or their means.
  let codes: Network
  let decoder: Network
  /// The flow that was trained along, if one was.
  let flow: NormalizingFlow?
}

extension TrainedNetworks {
  /// Those of a finished model.
  init(_ model: PAEModel) {
    encoder = model.recognition
    codes = model.encoder
    decoder = model.decoder
    flow = nil
  }
}

extension ModelTrainer {
  /// Stage 1 from where `state` stands.
  func trainAutoencoder(
    _ objective: any CodingObjective, progress: (TrainingProgress) -> Bool,
    store: () throws -> Void
  ) throws -> TrainedNetworks? {
    let key = RandomKey(seed: recipe.seed).child("autoencoder")
    let architecture = Architecture(rawValue: recipe.architecture) ?? .conv
    let outputs = objective.encoderOutputs(latent: recipe.latent)
    let encoderLayers = try architecture.layers(image: images.shape, latent: outputs).encoder
    let decoderLayers = try architecture.layers(image: images.shape, latent: recipe.latent).decoder
    let trainer = try AutoencoderTrainer(
      images: SymmetricImages(ImageSubset(images, split.training), recipe.symmetries),
      encoder: Network(
        domain: images.shape, layers: encoderLayers, key: key.child("encoder")),
      decoder: Network(
        domain: Shape(recipe.latent), layers: decoderLayers, key: key.child("decoder")),
      objective: objective, options: recipe.autoencoder, key: key, pool: pool)
    // The flow's state is that of a joint flow here, and of stage 2 where there is none.
    let parts = Array(zip([TrainingState.Part.encoder, .decoder, .flow], trainer.optimizers))
    for (part, optimizer) in parts { try state.restore(part, to: optimizer) }
    let meter = ProgressMeter(
      stage: .autoencoder, epochs: recipe.autoencoder.epochs, firstEpoch: state.autoencoderEpoch,
      stepsPerEpoch: trainer.stepsPerEpoch, batch: recipe.autoencoder.batch)
    while state.autoencoderEpoch < recipe.autoencoder.epochs {
      let (epoch, done) = (state.autoencoderEpoch, state.step)
      var failure: (any Error)?
      let stepsBefore = trainer.optimizers.map(\.steps)
      guard
        trainer.runEpoch(
          epoch, after: done,
          report: { step, error in
            if step < trainer.stepsPerEpoch, clock.isDue {
              state.step = step
              for (part, optimizer) in parts { state.keep(part, optimizer) }
              do { try store() } catch { failure = error }
            }
            return failure == nil
              && progress(
                meter.progress(
                  epoch: epoch, step: step, value: error, divergence: trainer.latestCost.divergence)
              )
          }) != nil
      else {
        if let failure { throw failure }
        return nil
      }
      for (optimizer, before) in zip(trainer.optimizers, stepsBefore) {
        try optimizer.check(
          epoch: epoch, stepsBefore: before, of: trainer.stepsPerEpoch - done)
      }
      (state.autoencoderEpoch, state.step) = (state.autoencoderEpoch + 1, 0)
      for (part, optimizer) in parts { state.keep(part, optimizer) }
      if objective.keepsBest { try keepIfBest(trainer) }
      if clock.isDue(afterEpoch: state.autoencoderEpoch) { try store() }
    }
    let (encoder, decoder) =
      try state.bestNetworks.map { try trainer.networks(encoder: $0.encoder, decoder: $0.decoder) }
      ?? trainer.averagedNetworks()
    return TrainedNetworks(
      encoder: encoder, codes: encoder.keepingOutputs(recipe.latent) ?? encoder, decoder: decoder,
      flow: try trainer.averagedFlow())
  }

  /// Keeps the averaged weights when no earlier epoch's had a smaller error on the held-out pictures.
  private func keepIfBest(_ trainer: AutoencoderTrainer) throws {
    let (encoder, decoder) = try trainer.averagedNetworks()
    let error = try AutoencoderMeasurements(
      ImageSubset(images, split.heldOut), encoder: encoder, decoder: decoder, pool: pool
    ).meanSquaredError
    guard error < state.bestNetworks?.error ?? .infinity else { return }
    state.bestNetworks = .init(
      encoder: trainer.optimizers[0].average.array, decoder: trainer.optimizers[1].average.array,
      error: error, epoch: state.autoencoderEpoch)
  }

  /// Stage 2 by the recipe, from where `state` stands.
  func fitFlow(
    _ codes: [Float], heldOut: [Float], progress: (TrainingProgress) -> Bool,
    store: () throws -> Void
  ) throws -> NormalizingFlow? {
    if let options = recipe.sliced {
      return try fitSlicedFlow(codes, heldOut: heldOut, options: options, progress: progress)
    }
    return try trainFlow(codes, heldOut: heldOut, progress: progress, store: store)
  }

  /// A sliced flow takes a minute or two: after a break it is begun anew, and ends the same.
  private func fitSlicedFlow(
    _ codes: [Float], heldOut: [Float], options: SlicedFlowTrainer.Options,
    progress: (TrainingProgress) -> Bool
  ) throws -> NormalizingFlow? {
    let trainer = try SlicedFlowTrainer(
      codes: codes, heldOut: heldOut, dimension: recipe.latent, options: options,
      key: RandomKey(seed: recipe.seed).child("sliced flow"), pool: pool)
    let meter = ProgressMeter(
      stage: .slicedFlow, epochs: options.layers, firstEpoch: 0, stepsPerEpoch: 1,
      batch: trainer.codeCount)
    while !trainer.isDone {
      let layer = trainer.layerCount
      let value = try trainer.addLayer().training
      guard progress(meter.progress(epoch: layer, step: 1, value: value)) else { return nil }
    }
    return try trainer.bestFlow()
  }

  /// Stage 2 by gradient descent.
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
      let (epoch, done) = (state.flowEpoch, state.step)
      let stepsBefore = trainer.optimizer.steps
      var failure: (any Error)?
      let result = try trainer.runEpoch(epoch, after: done) { step, value in
        if step < trainer.stepsPerEpoch, clock.isDue {
          state.step = step
          state.keep(.flow, trainer.optimizer)
          do { try store() } catch { failure = error }
        }
        return failure == nil
          && progress(meter.progress(epoch: epoch, step: step, value: value))
      }
      guard result != nil else {
        if let failure { throw failure }
        return nil
      }
      try trainer.optimizer.check(
        epoch: epoch, stepsBefore: stepsBefore, of: trainer.stepsPerEpoch - done)
      (state.flowEpoch, state.step) = (state.flowEpoch + 1, 0)
      state.keep(.flow, trainer.optimizer)
      state.bestFlow = trainer.best.parameters
      state.bestLogLikelihood = trainer.best.logLikelihood
      state.epochsSinceBest = trainer.epochsSinceBest
      if clock.isDue(afterEpoch: state.flowEpoch) { try store() }
    }
    return try trainer.bestFlow()
  }

  /// N(mean, covariance) of codes (n × K) as a flow of two linear layers.
  func gaussianFlow(_ codes: [Float]) throws(FlowError) -> NormalizingFlow {
    try NormalizingFlow(
      initializing: [.affine, .luLinear], dimension: recipe.latent,
      key: RandomKey(seed: recipe.seed)
    ).standardizing(codes: codes)
  }

  /// The flow, or the Gaussian of the codes where held-out codes are likelier under that.
  func betterThanGaussian(
    _ flow: NormalizingFlow, codes: [Float], heldOut: [Float]
  ) throws -> NormalizingFlow {
    let gaussian = try gaussianFlow(codes)
    return try flow.meanLogDensity(of: heldOut) >= gaussian.meanLogDensity(of: heldOut)
      ? flow : gaussian
  }

  /// f(z) = z, the flow of N(0, I): an `affine` with mean 0 and ln scale 0.
  func identityFlow() throws(FlowError) -> NormalizingFlow {
    try NormalizingFlow(
      initializing: [.affine], dimension: recipe.latent, key: RandomKey(seed: recipe.seed))
  }

  /// `ppca`, all in closed form from the training pictures: the identity as flow, s² of every element as
  /// residual.
  func principalComponents() throws -> PAEModel {
    let pictures = ImageSubset(images, split.training)
    let components = try ProbabilisticPCA(images: pictures, latent: recipe.latent)
    let (encoder, decoder) = try components.networks(image: images.shape)
    let training = try AutoencoderMeasurements(
      pictures, encoder: encoder, decoder: decoder, pool: pool)
    let heldOut = try AutoencoderMeasurements(
      ImageSubset(images, split.heldOut), encoder: encoder, decoder: decoder,
      keepsResiduals: true, pool: pool)
    let rows = zip(heldOut.reconstructions, heldOut.residuals).map { $0 + $1 }
    let values = components.logMarginal(of: rows)
    let flow = try identityFlow()
    var options = recipe.objective.record
    options?.pixelDeviation = components.variance.squareRoot()
    options?.heldOutLogLikelihood = accurateSum(values) / Double(values.count)
    var record = try record(flow, training: training, heldOut: heldOut)
    record.objective = options
    return try PAEModel(
      description: description(
        encoder: encoder, decoder: decoder, flow: flow, residual: .init(rank: 0), record: record),
      encoder: encoder, decoder: decoder, flow: flow,
      residual: ResidualCovariance(
        variances: [Float](repeating: Float(components.variance), count: images.shape.count)))
  }
}
