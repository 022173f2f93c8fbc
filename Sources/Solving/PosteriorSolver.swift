import Inversion
import Noise
import Problems
import Randomness
import Sampling
import Workers

/// From pictures and their measurement to modes and draws: what solving and calibration share.
package struct PosteriorSolver {
  package let model: any Prior
  package let options: SolveOptions
  package let pool: WorkerPool

  package init(model: any Prior, options: SolveOptions, pool: WorkerPool) {
    self.model = model
    self.options = options
    self.pool = pool
  }

  /// What of Σ is to be part of the model.
  package var residual: ResidualCovariance {
    switch options.residual {
    case .full, .auto, .intensity: model.residual
    case .diagonal: model.residual.diagonal
    case .none: .none(model.imageShape.count)
    }
  }

  /// The residual by painted intensity, where that is what was asked for or is best and can be had.
  package func intensityResidual(
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
        "the model '\(model.name)' has no residual by intensity: fit it with "
          + "paeinvert train --refit-residual, or use full, diagonal or none")
    }
    return isPossible ? model.intensityResidual : nil
  }

  /// - Throws: as `MeasurementModel`.
  package func measurement(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel
  ) throws -> MeasurementModel {
    if let intensity = try intensityResidual(noise: noise, forward: forward) {
      try MeasurementModel.checkIndependent(options.noise.solver)
      return MeasurementModel(
        pictures: pictures, isLevelInferred: options.noise.level == .inferred,
        shape: model.imageShape, intensity: intensity)
    }
    return try MeasurementModel(
      pictures: pictures, noise: noise.shape, isLevelInferred: options.noise.level == .inferred,
      forward: forward, residual: residual, isPaintingAllowed: options.residual == .full,
      residualScale: options.isResidualScaleInferred ? model.residualScale : nil,
      solver: options.noise.solver)
  }

  /// Modes and draws of pictures whose noise is known in shape.
  package func solve(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel, key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> Solved {
    let measurement = try measurement(pictures, noise: noise, forward: forward)
    let posterior = measurement.posterior(of: model, inCodes: options.space == .z)
    let modes = try findModes(posterior, pictures, key: key, progress: progress)
    var solved = Solved(
      measurement: measurement, posterior: posterior, modes: modes.sets,
      gradients: modes.gradients)
    if options.method != .map {
      let run = try draw(posterior, modes.sets, key: key, progress: progress)
      solved.gradients += run.gradients
      solved.run = run
    }
    return solved
  }

  /// - Parameter starts: where each picture's climbs begin; nil for the usual starts.
  package func findModes(
    _ posterior: ImagePosterior, _ pictures: [DamagedPicture], starts: [[[Double]]]? = nil,
    key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> (sets: [ModeSet], gradients: Int) {
    try withoutActuallyEscaping(progress) { progress in
      let search = ModeSearchPipeline(model: model, posterior: posterior, pool: pool)
      var found = try search.run(
        starts: starts ?? search.starts(for: pictures, key: key.child("starts")),
        progress: {
          progress(
            .init(
              stage: .modes, fraction: Double($0.done) / Double(max($0.total, 1)), divergences: 0))
        })
      if starts == nil { found.gradients += pictures.count * ModeSearchPipeline.candidates }
      return found
    }
  }
}
