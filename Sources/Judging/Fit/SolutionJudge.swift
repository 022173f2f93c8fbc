import Flows
import Inversion
import Maps
import Solving

/// What solutions of one batch are held against: the prior's own draws, what the encoder reads in them, and
/// which residuals are neighbours. Made once for a batch.
package struct SolutionJudge {
  private let prior: PriorReference
  private let lattice: ResidualLattice?
  /// nil without draws, and for priors without an encoder.
  private let reading: EncoderReading?

  /// - Throws: `PlanError` or `FlowError` when plans cannot be made.
  package init(_ batch: SolvedBatch) throws {
    let model = batch.solver.model
    prior = try PriorReference(
      flow: model.codeSpace?.flow
        ?? NormalizingFlow(
          layers: [.affine], dimension: model.latentDimension,
          parameters: [Float](repeating: 0, count: 2 * model.latentDimension)))
    lattice = try ResidualLattice(batch.measurement)
    guard let encoding = model as? PAEModel, batch.solutions.contains(where: { $0.run != nil })
    else {
      reading = nil
      return
    }
    reading = try EncoderReading(
      model: encoding, law: batch.measurement.residualPrior(of: model),
      scale: batch.posterior.residualScale)
  }

  /// How well the draws explain the data.
  package func fit(of solved: InverseSolution) throws -> PosteriorFit {
    let solution = solved.solution
    return try PosteriorFit(
      draws: solution.run?.draws ?? solution.modes.bestDraw, posterior: solved.batch.posterior,
      problem: solution.problem, lattice: lattice)
  }

  /// Whether the picture is of the prior's kind.
  package func misfit(of solved: InverseSolution) throws -> PriorMisfit {
    let (solution, posterior) = (solved.solution, solved.batch.posterior)
    let percentile = try solution.run.flatMap { run in
      try reading?.percentile(
        of: PosteriorPictures.drawnWithMeans(
          EncoderReading.drawsUsed, posterior: posterior, problem: solution.problem,
          draws: run.draws, residual: solved.batch.residual(of: solution.problem),
          key: solved.key("reading")),
        sigma: solution.picture.sigma)
    }
    return try PriorMisfit(
      draws: solution.baseDraws ?? solution.bestBase, prior: prior,
      scale: posterior.residualScale, reading: percentile)
  }
}

extension InverseSolution {
  /// How well the draws explain the data: χ² per datum and whether residuals are white.
  /// - Throws: `PlanError` when plans cannot be made.
  public func fit() throws -> PosteriorFit { try SolutionJudge(batch).fit(of: self) }

  /// Whether the picture is of the prior's kind. Costs 2,000 draws of the prior and, of a trained model, 400
  /// pictures that its encoder reads.
  /// - Throws: `PlanError` when plans cannot be made.
  public func priorMisfit() throws -> PriorMisfit { try SolutionJudge(batch).misfit(of: self) }
}
