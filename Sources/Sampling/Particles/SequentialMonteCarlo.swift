import Probability
import Randomness
import Workers

/// Carries draws of the prior to the posterior of every problem by tempered sequential Monte Carlo,
/// all gradients in one batch.
///
///     π_β = prior · likelihood^β,  0 = β₀ < β₁ < … < 1
///     w_i = exp((β_t − β_{t−1}) log likelihood(x_i)),  log Z = Σ_t log (1/N) Σ_i w_i
///
/// At each temperature particles are weighted, resampled within their island, and moved by Hamiltonian
/// Monte Carlo that leaves π_β as it is. Temperatures, metric, step size and number of moves are found
/// from the particles. Prior draws that reach several modes keep them all, with their weights; the
/// islands are independent but for what they adapt together, so their spread tells the errors.
/// Sources: Neal, "Annealed importance sampling", 2001; Del Moral, Doucet and Jasra, "Sequential Monte
/// Carlo samplers", 2006, section 3; Buchholz, Chopin and Jacob, "Adaptive tuning of Hamiltonian Monte
/// Carlo within sequential Monte Carlo", 2021.
///
/// The same arguments give the same draws to the last bit, whatever the pool's number of threads; with
/// the same `lanesPerBlock` also whatever other problems share the batch. `progress` is asked about ten
/// times a second, its `done` counts per mille of β^¼ of all problems; false stops the run.
///
/// Throws `SamplingError`, and what `makeFactorEvaluator` throws.
/// - Precondition: every problem's dimension is the density's.
package func sampleSequentially(
  _ density: any TemperedLogDensity, problems: [ParticleProblem],
  options: SequentialMonteCarloOptions, pool: WorkerPool, progress: ((Progress) -> Bool)? = nil
) throws -> SequentialMonteCarloRun {
  precondition(!problems.isEmpty, "nothing to sample")
  precondition(problems.allSatisfy { $0.islands[0][0].count == density.dimension })
  precondition(problems.allSatisfy { (0..<density.problemCount).contains($0.index) })
  let start = ContinuousClock.now
  let counts = problems.map { $0.islands.count * $0.islands[0].count }
  let rows = options.lanesPerBlock ?? LaneBatch.lanesPerBlock(counts)
  let systems = try problems.map {
    try ParticleSystem($0, density: density, options: options, rows: rows)
  }
  run(systems, pool: pool) { system in
    { [particles = system.particles] block in block.evaluate(particles) }
  }
  for (problem, system) in zip(problems, systems) {
    if let island = system.beginLadder() {
      throw SamplingError.startNotFinite(problem: problem.index, chain: island)
    }
  }
  var gradients = counts.reduce(0, +)
  var monitor = ProgressMonitor(report: progress)
  while case let active = systems.filter({ !$0.isDone }), !active.isEmpty {
    run(active, pool: pool) { $0.planMove() }
    for system in active { gradients += system.concludeMove() }
    let goesOn = monitor.keepGoing {
      Progress(
        done: systems.reduce(0) { $0 + $1.perMille }, total: 1000 * systems.count, divergences: 0,
        gradients: gradients)
    }
    if !goesOn { throw SamplingError.cancelled }
  }
  return SequentialMonteCarloRun(
    problems: systems.map(\.run), gradients: gradients,
    seconds: (ContinuousClock.now - start).seconds)
}

/// Runs the work that each system plans on all of its blocks, the blocks of all systems together.
private func run(
  _ systems: [ParticleSystem], pool: WorkerPool,
  plan: (ParticleSystem) -> @Sendable (ParticleBlock) -> Void
) {
  let items = systems.flatMap { system in
    let work = plan(system)
    return system.blocks.map { (block: $0, work: work) }
  }
  pool.run(items.count) { items[$0].work(items[$0].block) }
}
