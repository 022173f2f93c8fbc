import Diagnostics
import Inversion
import Problems
import Randomness
import Tensors

/// What the data say of one picture: its posterior as pictures, as draws of the base variables, and the
/// verdict on whether the draws can be relied on.
///
/// `Judging` adds how well it fits the data and whether the picture is of the prior's kind; `PAEInversion`
/// adds `write(to:)`.
public struct InverseSolution {
  package let batch: SolvedBatch
  package let solution: Solution
  package let pictures: SolutionPictures
  /// R̂, effective sample sizes, divergences, and the reasons not to rely on the draws; nil for `.map`.
  public let verdict: Verdict?
  /// The draws as numbers: base variables u, levels where they are inferred, log densities. For `.map` the
  /// most probable ones alone.
  public let baseDraws: SolutionDraws

  /// Paints what was found.
  package init(_ batch: SolvedBatch, index: Int) throws {
    self.batch = batch
    solution = batch.solutions[index]
    let options = batch.solver.options
    pictures = try SolutionPictures(
      solution, posterior: batch.posterior, residual: batch.residual(of: index),
      count: options.samples, key: batch.key.child("pictures").child(index),
      pool: batch.solver.pool)
    verdict = solution.run.map { [solution] in
      $0.verdict(of: solution.baseDraws ?? $0.draws)
    }
    baseDraws = SolutionDraws(
      solution.baseDraws ?? solution.bestBase, posterior: batch.posterior,
      problem: solution.problem, latentDimension: batch.solver.model.latentDimension,
      slope: solution.slope?.draws)
  }

  /// The posterior mean of the picture, C×H×W intensities; nil for `.map`.
  public var mean: Tensor? { pictures.mean }
  /// The posterior standard deviation of every element; nil for `.map`.
  public var standardDeviation: Tensor? { pictures.standardDeviation }
  /// The picture of the most probable base variables.
  public var map: Tensor { pictures.map }
  /// Pictures drawn from the posterior, with what the generator cannot paint drawn too; empty for `.map`.
  public var draws: [Tensor] { pictures.draws }
  /// One picture for each mode with at least one per cent of the mass, heaviest first.
  public var modes: [Tensor] { pictures.modes }

  /// What the data and the operator give reason to say.
  public var warnings: [Warning] { batch.forward.warnings + solution.picture.warnings }

  /// Whether the answer can be relied on, as far as is known here: the verdict's word, or for `.map` that the
  /// climb converged, and no warning that makes it doubtful.
  public var isOK: Bool {
    (verdict?.isOK ?? solution.modes.isConverged) && !warnings.contains { $0.isDoubt }
  }

  /// ln p(y), nats, where the method tells; nil for chains and `.map`.
  public var logEvidence: Double? { solution.run?.evidence?.log }

  /// The key that whatever else is drawn for this picture descends from, by a name of its own.
  package func key(_ name: StaticString) -> RandomKey {
    batch.key.child(name).child(solution.problem)
  }
}
