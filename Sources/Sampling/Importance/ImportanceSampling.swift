import Foundation
import Probability
import Workers

/// Draws positions from mixtures and weighs them by p/q; where Pareto smoothing finds k̂ too large,
/// refits the mixture to the weighted draws and draws again, at most `adaptations` times.
///
/// Each refit sees the draws of all rounds so far, weighed by p/q̄ with q̄ the mean of their proposals
/// (deterministic mixture; Owen and Zhou 2000, Cornuet, Marin, Mira and Robert, "Adaptive multiple
/// importance sampling", 2012). But the result is one round, that of the smallest k̂, under its own
/// proposal: draws that a proposal has been fitted to get weights too small from it, which in forty
/// dimensions biased a pooled evidence by half a nat, many times its error.
/// Components take their share of each round's draws systematically.
///
/// One gradient a draw, all problems in one batch; the same bits whatever the pool's threads. Throws
/// `SamplingError.cancelled`, and what `makeEvaluator` throws.
/// - Precondition: every proposal's dimension is the density's.
package func sampleByImportance(
  _ density: any LogDensity, problems: [ImportanceProblem], options: ImportanceOptions,
  pool: WorkerPool, progress: ((Progress) -> Bool)? = nil
) throws -> [ImportanceRun] {
  precondition(problems.allSatisfy { $0.proposal.dimension == density.dimension })
  let states = problems.map(ImportanceRounds.init)
  for _ in 0...options.adaptations {
    let live = states.filter { $0.needsDraws }
    guard !live.isEmpty else { break }
    let sets = live.map {
      PointSet(problem: $0.problem.index, positions: $0.propose(options.draws))
    }
    var values = live.map { _ in [Double](repeating: 0, count: options.draws) }
    try evaluate(
      density, at: sets, lanesPerBlock: options.lanesPerBlock, pool: pool, progress: progress
    ) { set, index, state in values[set][index] = state.logDensity }
    pool.run(live.count) { live[$0].take(sets[$0].positions, values[$0]) }
  }
  return states.map { $0.run }
}

/// exp(β ln W), normalized, with the largest β ≤ 1 at which they are worth `effectiveSize` draws:
/// moments of a few dominating draws would not be worth fitting to.
///
/// Source: Koblents and Míguez, "A population Monte Carlo scheme with transformed weights", 2015. The
/// effective size falls as β grows, so halving finds it; β = 0 is worth all draws of density above zero.
func flattened(_ logWeights: [Double], effectiveSize: Double) -> [Double] {
  let top = logWeights.max() ?? 0
  func powers(_ beta: Double) -> [Double] {
    let powers = logWeights.map { $0 == -.infinity ? 0 : exp(beta * ($0 - top)) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }
  func size(_ weights: [Double]) -> Double { 1 / weights.reduce(0) { $0 + $1 * $1 } }
  let whole = powers(1)
  if size(whole) >= effectiveSize { return whole }
  var (low, high) = (0.0, 1.0)
  for _ in 0..<30 {
    let middle = (low + high) / 2
    if size(powers(middle)) >= effectiveSize { low = middle } else { high = middle }
  }
  return powers(low)
}
