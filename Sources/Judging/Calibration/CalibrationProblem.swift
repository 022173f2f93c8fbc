import Inversion
import Likelihoods
import Maps
import Probability
import Problems
import Randomness
import Solving
import Tensors
import Workers

/// The user's own instrument, hole and noise, ready to damage pictures and to solve them in batches.
package struct CalibrationProblem {
  let solver: PosteriorSolver
  let forward: ForwardModel
  let noise: ResolvedNoise
  let sigma: Double
  let independentSigmas: [Float]?
  let observed: [Bool]?

  package init(_ options: CalibrateOptions, model: PAEModel) throws {
    var solving = options.solving
    guard !solving.noise.spectrum.isSlopeInferred else {
      throw PipelineError.usage(
        "calibrate needs the slope of the noise: give --noise-spectrum power: a number, not auto")
    }
    if solving.noise.level == .inferred {
      solving.noise.sigma = .value(CalibrateOptions.defaultSigma)
    }
    solver = PosteriorSolver(
      model: model, options: solving, pool: WorkerPool(threads: solving.threads))
    let forward = try ForwardModel(solving.operators, on: model.imageShape)
    let noise = try ResolvedNoise(solving.noise, shape: forward.dataShape)
    self.forward = forward
    self.noise = noise
    switch solving.noise.level {
    case .known(let value): sigma = value
    case .inSpectrum: sigma = noise.spectrumSigma ?? 0
    case .none: sigma = 0
    case .inferred: throw PipelineError.internal("σ has a default by now")
    }
    independentSigmas = try solving.noise.sigmaMap.map {
      try DamagedPicture.readSigmaMap($0, shape: forward.dataShape)
    }
    observed = try options.hole.observed(
      forward.dataShape, key: RandomKey(seed: solving.seed).child("calibrate").child("mask"))
  }

  /// What of Σ the posteriors have, before one is made.
  package var residualKind: SolveOptions.Residual {
    if (try? solver.intensityResidual(noise: noise, forward: forward)) != nil {
      return .intensity
    }
    let residual = solver.residual
    return residual.rank > 0 ? .full : residual.variances.contains { $0 > 0 } ? .diagonal : .none
  }

  /// A picture as the instrument would have seen it; values are neither rounded nor clipped.
  func damaged(_ picture: [Float], key: RandomKey) throws -> DamagedPicture {
    var data = Tensor(shape: forward.dataShape)
    var span = data.values.mutableSpan
    try forward.map.makePlan(lanes: 1).apply(picture.span, into: &span)
    let damage = Damage(
      sigma: sigma, noise: noise.shape, independentSigmas: independentSigmas, observed: observed)
    return try DamagedPicture(
      simulated: damage.simulate(truth: data, key: key).values, observed: observed, sigma: sigma,
      forward: forward, independentSigmas: independentSigmas)
  }

  /// One batch of pictures, solved.
  struct Batch {
    let measurement: MeasurementModel
    let posterior: ImagePosterior
    let run: PosteriorBatch
  }

  func solve(
    _ pictures: [DamagedPicture], key: RandomKey, progress: (SolveProgress) -> Bool
  ) throws -> Batch {
    let measurement = try solver.measurement(pictures, noise: noise, forward: forward)
    let posterior = measurement.posterior(
      of: solver.model, inCodes: solver.options.space == .z)
    let modes = try solver.findModes(posterior, pictures, key: key, progress: progress)
    let run = try solver.draw(posterior, modes.sets, key: key, progress: progress)
    return Batch(measurement: measurement, posterior: posterior, run: run)
  }
}
