import Foundation
import Inversion
import Probability
import Randomness
import SmallModels
import Testing

@testable import Sampling
@testable import Solving

@Suite struct PosteriorGroupsTests {
  /// Chains about u_1 = ±2 as `signs` say, u_2 about 0.5: 100 independent draws each.
  private func run(_ signs: [Double]) throws -> PosteriorRun {
    var stream = RandomKey(seed: 61).stream()
    let positions = signs.flatMap { sign in
      (0..<100).flatMap { _ in [2 * sign + 0.08 * stream.normal(), 0.5 + 0.1 * stream.normal()] }
    }
    let set = DrawSet(
      chains: signs.count, draws: 100, dimension: 2, positions: positions,
      logDensities: [Double](repeating: 0, count: signs.count * 100))
    let metric = try #require(DenseMetric(covariance: [0.01, 0, 0, 0.01], dimension: 2))
    let mode = Mode(position: [2, 0.5], logDensity: 0, starts: 1)
    return PosteriorRun(
      method: .nuts, draws: set,
      assurance: .chains(
        ProblemRun(
          draws: set, records: signs.map { _ in [] }, stepSize: 1, metric: metric,
          warmupLength: 0, warmupDivergences: 0, jumps: JumpCounts())),
      modes: ModeSet(
        entries: [.init(mode: mode, metric: metric, weight: 1)], isConverged: true))
  }

  // Both signs paint the same, so each has half of the posterior; fourteen chains to two say seven eighths.
  // Particles descend from about a sixteenth of 400 draws of the prior or more: ½/√25 is the error of a
  // share, and four islands of errors that size. Fails when: shares of the chains are kept; groups and
  // shares change places; pictures are not weighed.
  @Test("particles decide the shares of chains that stay apart")
  func settles() throws {
    let solver = PosteriorSolver(try evenModel(), sigma: 0.1)
    let data: [Float] = [Float(2 * tanh(1.0)), 0.5, 0, 0]
    let (posterior, _) = try solver.posterior(of: data, sigma: 0.1)
    let signs = (0..<16).map { $0 < 14 ? 1.0 : -1 }
    var batch = PosteriorBatch(problems: [try run(signs)])
    try solver.settleGroups(&batch, posterior, key: RandomKey(seed: 3), progress: { _ in true })
    let settled = batch.problems[0]
    #expect(settled.groups.map(\.chains) == [Array(0..<14), [14, 15]])
    #expect(settled.groups.map(\.share) == [0.875, 0.125])
    let shares = settled.groups.compactMap(\.particleShare)
    try #require(shares.count == 2)
    #expect(abs(shares[0].share - 0.5) < 0.2 && shares[0].error < 0.15, "\(shares)")
    #expect(abs(shares[0].share + shares[1].share - 1) < 1e-12)
    let weighed = try #require(settled.settled)
    let positive = weighed.coordinate(0).joined().count { $0 > 0 }
    #expect(abs(Double(positive) / 1600 - shares[0].share) <= 1.0 / 1600)
    #expect(batch.gradients > 0)
  }

  @Test("chains that agree have no groups, and no particles are run")
  func agrees() throws {
    let solver = PosteriorSolver(try evenModel(), sigma: 0.1)
    let (posterior, _) = try solver.posterior(of: [1.5, 0.5, 0, 0], sigma: 0.1)
    var batch = PosteriorBatch(problems: [try run([Double](repeating: 1, count: 16))])
    try solver.settleGroups(&batch, posterior, key: RandomKey(seed: 3), progress: { _ in true })
    #expect(batch.problems[0].groups.isEmpty && batch.problems[0].settled == nil)
    #expect(batch.gradients == 0)
  }
}
