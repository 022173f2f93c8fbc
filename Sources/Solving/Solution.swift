import Probability
import Problems
import Sampling

/// One picture's way through the pipeline.
package struct Solution {
  package let picture: DamagedPicture
  /// Index among the posterior's problems.
  package let problem: Int
  package var modes: ModeSet
  /// The best mode in base variables, as one draw.
  package let bestBase: DrawSet
  /// Where the slope of the noise is inferred.
  package let slope: SlopePosterior?
  /// nil for `--method map`.
  package var run: PosteriorRun?
  /// The run's draws in base variables; nil for `--method map`.
  package var baseDraws: DrawSet?

  package init(
    picture: DamagedPicture, problem: Int, modes: ModeSet, bestBase: DrawSet,
    slope: SlopePosterior? = nil, run: PosteriorRun? = nil, baseDraws: DrawSet? = nil
  ) {
    self.picture = picture
    self.problem = problem
    self.modes = modes
    self.bestBase = bestBase
    self.slope = slope
    self.run = run
    self.baseDraws = baseDraws
  }
}
