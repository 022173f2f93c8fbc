import Inversion
import Randomness
import Sampling
import Workers

/// The integrals of the densities of a block of problems, each by importance sampling about the maxima that
/// are found:
///
///     1. climb from the starts; a Gaussian of the Hessian at each maximum
///     2. their mixture with Student tails is the proposal, refitted once where k̂ is too large
///     3. where k̂ still is, climb from the draws of the largest weights, which lie where the proposal has too
///        little, add the maxima that are new, and go back to 2 with twice as many draws; at most
///        `attempts` times
///
/// Every estimate that k̂ refuses misses mass, so of such the largest is kept. Cost for a problem: some thirty
/// gradients for each start, 4D for each maximum, and `draws` or twice that values in the first attempt.
struct MarginalSearch {
  let posterior: ImagePosterior
  /// Of each problem.
  let keys: [RandomKey]
  /// Of a round of the first attempt.
  let draws: Int
  let pool: WorkerPool

  /// ν of the proposal.
  static let degreesOfFreedom = 10.0
  static let attempts = 3
  /// Climbs of a further attempt.
  static let restarts = 8
  /// The least share that a maximum has of the proposal, over their number.
  private static let smallestShare = 0.1
  private static let lanesPerBlock = 32

  /// - Parameter starts: one for each problem.
  /// - Returns: nil where the density is not finite at the start.
  func run(starts: [[Double]]) throws -> [ImportanceRun?] {
    var best = [ImportanceRun?](repeating: nil, count: starts.count)
    var modes = [[LaplaceApproximation]](repeating: [], count: starts.count)
    var live = starts.indices.map { (problem: $0, starts: [starts[$0]]) }
    for attempt in 0..<Self.attempts where !live.isEmpty {
      for (place, found) in try maxima(live).enumerated() {
        modes[live[place].problem] = distinctModes(modes[live[place].problem] + found)
      }
      let known = live.map(\.problem).filter { !modes[$0].isEmpty }
      let runs = try sample(known.map { ($0, modes[$0]) }, attempt: attempt)
      live = []
      for (problem, run) in zip(known, runs) {
        let isReliable = run.reason == nil
        if isReliable || run.logEvidence > best[problem]?.logEvidence ?? -.infinity {
          best[problem] = run
        }
        if !isReliable { live.append((problem, heaviest(run))) }
      }
    }
    return best
  }

  /// The draws of the largest weights, before these are smoothed.
  private func heaviest(_ run: ImportanceRun) -> [[Double]] {
    let weights = run.smoothing.logWeights
    let dimension = posterior.dimension
    return weights.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }
      .prefix(Self.restarts).map {
        Array(run.positions[$0 * dimension..<($0 + 1) * dimension])
      }
  }

  /// Gaussians at the distinct maxima above the starts of each problem.
  private func maxima(
    _ live: [(problem: Int, starts: [[Double]])]
  ) throws -> [[LaplaceApproximation]] {
    // The place of a maximum is needed to a fraction of a standard deviation.
    let options = OptimizerOptions(
      maximumIterations: 200, earlyInverseTemperatures: [], objectiveTolerance: 1e-6,
      lanesPerBlock: Self.lanesPerBlock)
    var starts = [[[Double]]](repeating: [], count: keys.count)
    for (problem, own) in live { starts[problem] = own }
    let optima = try maximize(posterior, starts: starts, options: options, pool: pool)
    let points = try pool.map(live.count, worker: { try GaussNewtonMetric(posterior) }) {
      try expansionPoints(optima[live[$1].problem], problem: live[$1].problem, $0)
    }
    let found = try laplaceApproximations(
      of: posterior, at: Array(points.joined()), polishingSteps: 1,
      lanesPerBlock: Self.lanesPerBlock, pool: pool)
    var first = 0
    return points.map { own in
      defer { first += own.count }
      return found[first..<first + own.count].compactMap { $0 }
    }
  }

  /// The distinct ones of the optima, with the Gauss–Newton metric there.
  private func expansionPoints(
    _ optima: [Optimum], problem: Int, _ gaussNewton: GaussNewtonMetric
  ) throws -> [ExpansionPoint] {
    func metric(_ position: [Double]) -> DenseMetric? {
      DenseMetric(
        precision: gaussNewton.precision(at: position, problem: problem),
        dimension: posterior.dimension)
    }
    let finite = optima.filter(\.logDensity.isFinite)
    guard let highest = finite.max(by: { $0.logDensity < $1.logDensity }),
      let own = metric(highest.position)
    else { return [] }
    return distinctModes(finite, distance: 1, metric: own).compactMap { mode in
      metric(mode.position).map {
        ExpansionPoint(problem: problem, position: mode.position, metric: $0)
      }
    }
  }

  /// Importance sampling of problems from the mixtures of their maxima.
  private func sample(
    _ live: [(problem: Int, modes: [LaplaceApproximation])], attempt: Int
  ) throws -> [ImportanceRun] {
    try pool.map(live.count, worker: { () }) { _, place in
      let (problem, modes) = live[place]
      let mixture = GaussianMixture(modes)
        .withWeights(atLeast: Self.smallestShare / Double(modes.count))
        .withDegreesOfFreedom(Self.degreesOfFreedom)
      let rounds = ImportanceRounds(
        ImportanceProblem(
          index: problem, proposal: mixture, key: keys[problem].child(attempt)))
      let evaluator = try posterior.makeImageEvaluator(
        problems: [Int](repeating: problem, count: Self.lanes))
      for _ in 0..<2 where rounds.needsDraws {
        let positions = rounds.propose(draws << attempt)
        rounds.take(positions, logDensities(positions, evaluator))
      }
      return rounds.run
    }
  }

  /// Draws that are evaluated at once.
  private static let lanes = 64

  private func logDensities(
    _ positions: [Double], _ evaluator: ImagePosteriorEvaluator
  ) -> [Double] {
    let (lanes, dimension) = (Self.lanes, posterior.dimension)
    var result: [Double] = []
    var values = [Double](repeating: 0, count: lanes)
    let total = positions.count / dimension
    for first in stride(from: 0, to: total, by: lanes) {
      let count = min(lanes, total - first)
      var rows = Array(positions[first * dimension..<(first + count) * dimension])
      // What fills the last block is a draw, so that it is finite.
      while rows.count < lanes * dimension { rows += positions[..<dimension] }
      var span = values.mutableSpan
      evaluator.logDensities(rows.span, into: &span)
      result += values.prefix(count)
    }
    return result
  }
}
