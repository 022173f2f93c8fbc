import Inversion
import Measurement
import Randomness
import Sampling
import Workers

/// From pictures and their measurement to modes and draws: what solving and calibration share.
struct PosteriorSolver {
  let model: PAEModel
  let options: SolveOptions
  let pool: WorkerPool

  /// What of Σ is to be part of the model.
  var residual: ResidualCovariance {
    switch options.residual {
    case .full, .auto, .intensity: model.residual
    case .diagonal: model.residual.diagonal
    case .none: .none(model.imageShape.count)
    }
  }

  /// The residual by painted intensity, where that is what was asked for or is best and can be had.
  func intensityResidual(
    noise: ResolvedNoise, forward: ForwardModel
  ) throws -> IntensityResidual? {
    guard options.residual == .auto || options.residual == .intensity else { return nil }
    let isPossible = noise.shape.isWhite && forward.isIdentity
    guard options.residual == .auto || isPossible else {
      throw PipelineError.usage(
        "--residual intensity takes data that are pixels of the picture with independent noise; "
          + "with an operator or coloured noise use full, diagonal or none")
    }
    guard options.residual == .auto || model.intensityResidual != nil else {
      throw PipelineError.usage(
        "the model '\(model.description.name)' has no residual by intensity: fit it with "
          + "paeinvert train --refit-residual, or use full, diagonal or none")
    }
    return isPossible ? model.intensityResidual : nil
  }

  /// - Throws: as `MeasurementModel`.
  func measurement(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel
  ) throws -> MeasurementModel {
    if let intensity = try intensityResidual(noise: noise, forward: forward) {
      return MeasurementModel(
        pictures: pictures, isLevelInferred: options.noise.level == .inferred,
        shape: model.imageShape, intensity: intensity)
    }
    return try MeasurementModel(
      pictures: pictures, noise: noise.shape, isLevelInferred: options.noise.level == .inferred,
      forward: forward, residual: residual, isPaintingAllowed: options.residual == .full,
      residualScale: options.isResidualScaleInferred ? model.residualScale : nil)
  }

  func findModes(
    _ posterior: ImagePosterior, _ pictures: [DamagedPicture], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> (sets: [ModeSet], gradients: Int) {
    try withoutActuallyEscaping(progress) { progress in
      let search = ModeSearchPipeline(model: model, posterior: posterior, pool: pool)
      return try search.run(
        starts: pictures.enumerated().map { index, picture in
          try search.starts(for: picture, key: key.child("starts").child(index))
        },
        progress: {
          progress(
            .init(
              stage: .modes, fraction: Double($0.done) / Double(max($0.total, 1)), divergences: 0))
        })
    }
  }

  func sample(
    _ posterior: ImagePosterior, _ modes: [ModeSet], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> SamplingRun {
    let problems = modes.enumerated().map { index, set in
      let problemKey = key.child("chains").child(index)
      return SamplingProblem(
        index: index,
        starts: set.chainStarts(count: options.chains, key: problemKey.child("starts")),
        initialMetric: set.metric, key: problemKey.child("draws"))
    }
    let sampler = SamplerOptions(
      draws: options.draws, warmup: options.warmup, targetAcceptance: options.targetAcceptance,
      lanesPerBlock: options.lanesPerBlock)
    return try withoutActuallyEscaping(progress) { progress in
      let report: (Sampling.Progress) -> Bool = {
        progress(
          .init(
            stage: .sampling, fraction: Double($0.done) / Double(max($0.total, 1)),
            divergences: $0.divergences))
      }
      switch options.method {
      case .hmc:
        return try Sampling.sample(
          posterior, problems: problems, kernel: HamiltonianMonteCarlo(), options: sampler,
          pool: pool, progress: report)
      case .nuts, .map:
        return try Sampling.sample(
          posterior, problems: problems, kernel: NoUTurnSampler(), options: sampler, pool: pool,
          progress: report)
      }
    }
  }
}
