import Diagnostics
import Foundation
import Randomness

/// The rounds of importance sampling of one problem so far, for whoever evaluates the draws
/// (`sampleByImportance` does, for many problems). Touched by one thread at a time.
package final class ImportanceRounds {
  package let problem: ImportanceProblem
  private var proposals: [GaussianMixture] = []
  /// All rounds: N × D and N.
  private var positions: [Double] = []
  private var logDensities: [Double] = []
  private var shapes: [Double] = []
  private var best: ImportanceRun?

  package init(_ problem: ImportanceProblem) { self.problem = problem }

  /// Whether no round so far has weights that can be relied on.
  package var needsDraws: Bool { best.map { $0.reason != nil } ?? true }

  /// The positions of the next round, from q₀ or a refit of the latest.
  package func propose(_ count: Int) -> [Double] {
    let mixture = nextProposal()
    let key = problem.key.child("round").child(proposals.count)
    proposals.append(mixture)
    var placing = key.child("components").stream()
    let offset = placing.uniform()
    return (0..<count).flatMap { draw in
      var stream = key.child("draw").child(draw).stream()
      let component = mixture.component(at: (Double(draw) + offset) / Double(count))
      return mixture.draw(component: component, from: &stream)
    }
  }

  private func nextProposal() -> GaussianMixture {
    guard let latest = proposals.last else { return problem.proposal }
    // q̄ is a mixture itself.
    let combined = GaussianMixture(
      components: proposals.flatMap(\.components), degreesOfFreedom: latest.degreesOfFreedom)
    let smoothing = ParetoSmoothing(
      logWeights: logWeights(of: positions, logDensities, under: combined))
    let size = min(Double(logDensities.count) / 4, 5 * Double(latest.dimension))
    return latest.refitted(
      to: positions, weights: flattened(smoothing.logWeights, effectiveSize: size))
  }

  /// The round's log densities, nats: one for each of the positions proposed last.
  package func take(_ newPositions: [Double], _ values: [Double]) {
    guard let mixture = proposals.last else { preconditionFailure("draws have a proposal") }
    positions += newPositions
    logDensities += values
    let smoothing = ParetoSmoothing(
      logWeights: logWeights(of: newPositions, values, under: mixture))
    shapes.append(smoothing.shape)
    if let best, best.smoothing.shape <= smoothing.shape { return }
    best = ImportanceRun(
      mixture: mixture, positions: newPositions, logDensities: values, smoothing: smoothing,
      shapes: [])
  }

  /// The round of the smallest k̂.
  /// - Precondition: one was taken.
  package var run: ImportanceRun {
    guard let best else { preconditionFailure("a run has at least one round") }
    return ImportanceRun(
      mixture: best.mixture, positions: best.positions, logDensities: best.logDensities,
      smoothing: best.smoothing, shapes: shapes)
  }
}

/// ln p − ln q at every draw.
private func logWeights(
  of positions: [Double], _ logDensities: [Double], under mixture: GaussianMixture
) -> [Double] {
  let d = mixture.dimension
  return logDensities.indices.map { s in
    logDensities[s] == -.infinity
      ? -.infinity
      : logDensities[s] - mixture.logDensity(at: Array(positions[s * d..<(s + 1) * d]))
  }
}
