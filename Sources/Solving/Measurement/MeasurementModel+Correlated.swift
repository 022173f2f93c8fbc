import Inversion
import Likelihoods
import Noise
import Problems

extension MeasurementModel {
  /// Where the iterations end: an error of the gradient of a millionth of a standard deviation for each, as
  /// small as that of the decoder's single precision. The log density errs by its square.
  private static let tolerance = 1e-6

  /// The measurement of pictures by conjugate gradients, or by Fourier transforms where these are exact.
  /// - Throws: `PipelineError.usage` when the level is to be inferred, values are clipped, or channels have
  ///   noise in common; `PlanError` for singular covariances.
  /// - Precondition: pictures of one structure, at one level.
  static func correlated(
    _ measurement: GaussianMeasurement, _ pictures: [DamagedPicture], isLevelInferred: Bool,
    solver: NoiseOptions.Solver
  ) throws -> CorrelatedMeasurement {
    let isForced = solver == .conjugateGradients
    let who =
      isForced
      ? "--solver cg takes"
      : "\(pictures[0].observedCount) data that are not independent are solved by conjugate "
        + "gradients, which take"
    guard !isLevelInferred else {
      throw PipelineError.usage(
        who
          + " noise of a known level: give --sigma (paeinvert spectrum measures it, or solve a crop "
          + "of the picture)")
    }
    guard !pictures.contains(where: \.isCensored) else {
      throw PipelineError.usage(
        who
          + " no values clipped at the ends of the range: give --clipped no where they were not cut "
          + "off, or leave them out with a mask")
    }
    guard measurement.noise.channelCovariance == nil else {
      throw PipelineError.usage(
        who + " no noise that channels have in common: leave channel-covariance out")
    }
    var iteration = ConjugateGradients()
    iteration.tolerance = Self.tolerance
    return try CorrelatedMeasurement(
      measurement, sigma: pictures[0].sigma, solver: isForced ? .conjugateGradients : .automatic,
      iteration: iteration)
  }

  /// - Throws: `PipelineError.usage` when a solver was asked for, and there is nothing to solve.
  static func checkIndependent(_ solver: NoiseOptions.Solver) throws(PipelineError) {
    guard solver == .automatic else {
      throw .usage(
        "--solver is for data that coloured noise, an operator or the decoder's full residual "
          + "correlates; these are solved as independent ones: leave it out (or give --residual full, "
          + "where values are not clipped and the pictures have one mask and depth)")
    }
  }
}
