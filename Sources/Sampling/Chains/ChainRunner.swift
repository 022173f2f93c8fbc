import Probability
import Randomness
import Workers

/// Samples every chain of every problem, all gradients in one batch; returns when all are done.
///
/// The same arguments give the same draws to the last bit, whatever the pool's number of threads; with
/// the same `lanesPerBlock` also whatever other problems are sampled with them. `progress` is asked
/// about ten times a second; false stops the run.
///
/// Throws `SamplingError`, and what `makeEvaluator` throws.
/// - Precondition: every problem's dimension is the density's.
package func sample(
  _ density: any LogDensity, problems: [SamplingProblem], kernel: any MarkovKernel,
  options: SamplerOptions, pool: WorkerPool, progress: ((Progress) -> Bool)? = nil
) throws -> SamplingRun {
  precondition(!problems.isEmpty, "nothing to sample")
  precondition(problems.allSatisfy { $0.starts[0].count == density.dimension })
  let tally = Tally()
  let adaptations = problems.map {
    ProblemAdaptation(problem: $0, adaptation: options.metricAdaptation)
  }
  let chains = zip(problems, adaptations).map { problem, adaptation in
    kernel.makeTransitions(dimension: density.dimension, chains: problem.starts.count).enumerated()
      .map { index, transition in
        Chain(
          index: index, problem: problem, adaptation: adaptation, transition: transition,
          options: options, tally: tally)
      }
  }
  let byLane = Array(chains.joined())
  let batch = try LaneBatch(
    density: density,
    problems: problems.flatMap { Array(repeating: $0.index, count: $0.starts.count) },
    lanesPerBlock: options.lanesPerBlock ?? LaneBatch.lanesPerBlock(problems.map(\.starts.count)),
    pool: pool)
  let total = byLane.count * (options.warmup + options.draws)
  var monitor = ProgressMonitor(report: progress)
  let start = ContinuousClock.now
  batch.run(keepGoing: {
    !tally.failed
      && monitor.keepGoing {
        Progress(
          done: tally.transitions, total: total, divergences: tally.divergences,
          gradients: batch.requestedGradients)
      }
  }) { lane in await byLane[lane.index].run(lane) }
  let end = ContinuousClock.now
  try requireFiniteStarts(problems, chains)
  if monitor.stopped { throw SamplingError.cancelled }
  let warmupEnd = byLane.compactMap(\.warmupEnd).max() ?? end
  return SamplingRun(
    problems: zip(chains, adaptations).map(ProblemRun.init),
    gradients: batch.requestedGradients,
    warmupGradients: byLane.reduce(0) { $0 + $1.warmupGradients },
    laneUtilization: batch.utilization,
    warmupSeconds: (warmupEnd - start).seconds, samplingSeconds: (end - warmupEnd).seconds)
}

private func requireFiniteStarts(_ problems: [SamplingProblem], _ chains: [[Chain]]) throws {
  for (problem, chains) in zip(problems, chains) {
    if let chain = chains.firstIndex(where: { !$0.startIsFinite }) {
      throw SamplingError.startNotFinite(problem: problem.index, chain: chain)
    }
  }
}

extension ProblemRun {
  fileprivate init(_ chains: [Chain], _ adaptation: ProblemAdaptation) {
    let draws = chains[0].records.count
    self.init(
      draws: DrawSet(
        chains: chains.count, draws: draws, dimension: adaptation.metric.dimension,
        positions: chains.flatMap(\.positions), logDensities: chains.flatMap(\.logDensities)),
      records: chains.map(\.records), stepSize: adaptation.stepSize, metric: adaptation.metric,
      warmupLength: chains.map(\.warmupLength).max() ?? 0,
      warmupDivergences: chains.reduce(0) { $0 + $1.warmupDivergences },
      jumps: chains.reduce(JumpCounts()) { $0 + $1.jumps })
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
