import Probability
import Problems
import Sampling

/// What was found of one picture: its modes and its draws, before anything is painted.
package struct Solution {
  package let picture: DamagedPicture
  /// Index among the posterior's problems.
  package let problem: Int
  package let modes: ModeSet
  /// The best mode in base variables, as one draw.
  package let bestBase: DrawSet
  /// Where the slope of the noise is inferred.
  package let slope: SlopePosterior?
  /// nil for `.map`.
  package let run: PosteriorRun?
  /// The run's draws in base variables; nil for `.map`.
  package let baseDraws: DrawSet?
}
