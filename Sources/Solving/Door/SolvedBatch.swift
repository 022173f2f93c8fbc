import Foundation
import Inversion
import Likelihoods
import Numerics
import Problems
import Randomness
import Sampling

/// Wall time of a run, seconds.
public struct SolveSeconds: Sendable, Equatable {
  public var total = 0.0
  /// The search for modes, and everything before it.
  public var map = 0.0
  public var warmup = 0.0
  public var sampling = 0.0
}

/// Pictures solved together, from which each one's solution is painted.
package struct SolvedBatch {
  package let solver: PosteriorSolver
  package let forward: ForwardModel
  package let measurement: MeasurementModel
  package let posterior: ImagePosterior
  /// One for each picture.
  package let solutions: [Solution]
  /// Evaluations of the density.
  package let gradients: Int
  /// Gradients that chains asked for / gradients computed; nil without chains.
  package let laneUtilization: Double?
  fileprivate let start: ContinuousClock.Instant
  fileprivate let measuredSeconds: SolveSeconds
  let key: RandomKey

  /// The law of ε given the data of a picture.
  package func residual(of index: Int) -> any ResidualLaw { measurement.residuals[index] }

  /// Of the whole batch, up to now.
  package var seconds: SolveSeconds {
    var seconds = measuredSeconds
    seconds.total = (ContinuousClock().now - start).inSeconds
    return seconds
  }
}

extension PosteriorSolver {
  /// Finds modes and draws of pictures that were measured alike.
  /// - Parameters:
  ///   - start: when the run began, for its wall times.
  ///   - warn: called with one-line warnings as they come up.
  ///   - progress: returns false to stop, which throws `SamplingError.cancelled`.
  package func solveBatch(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel,
    since start: ContinuousClock.Instant, warn: (String) -> Void,
    progress: (SolveProgress) -> Bool
  ) throws -> SolvedBatch {
    let key = RandomKey(seed: options.seed)
    let solved =
      options.noise.spectrum.isSlopeInferred
      ? try solveSlope(
        pictures, noise: noise, forward: forward, key: key, warn: warn, progress: progress)
      : try solve(pictures, noise: noise, forward: forward, key: key, progress: progress)
    var seconds = SolveSeconds(map: (ContinuousClock().now - start).inSeconds)
    if let run = solved.run {
      seconds.warmup = run.warmupSeconds
      seconds.sampling = run.samplingSeconds
      seconds.map -= run.warmupSeconds + run.samplingSeconds
    }
    let posterior = solved.posterior
    let solutions = try pictures.indices.map { index in
      let run = solved.run?.problems[index]
      return Solution(
        picture: pictures[index], problem: index, modes: run?.modes ?? solved.modes[index],
        bestBase: try posterior.baseDraws(solved.modes[index].bestDraw), slope: solved.slope,
        run: run, baseDraws: try run.map { try posterior.baseDraws($0.draws) })
    }
    return SolvedBatch(
      solver: self, forward: forward, measurement: solved.measurement, posterior: posterior,
      solutions: solutions, gradients: solved.gradients,
      laneUtilization: solved.run?.laneUtilization, start: start, measuredSeconds: seconds,
      key: key)
  }
}
