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
    case .full, .auto: model.residual
    case .diagonal: model.residual.diagonal
    case .none: .none(model.imageShape.count)
    }
  }

  /// - Throws: as `MeasurementModel`.
  func measurement(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel
  ) throws -> MeasurementModel {
    try MeasurementModel(
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
