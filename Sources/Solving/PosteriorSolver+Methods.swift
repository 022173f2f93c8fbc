import Foundation
import Inversion
import Probability
import Problems
import Randomness
import Sampling

extension PosteriorSolver {
  /// Draws of every picture by the method asked for.
  /// - Precondition: not `.map`, which has no draws.
  package func draw(
    _ posterior: ImagePosterior, _ modes: [ModeSet], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> PosteriorBatch {
    let start = ContinuousClock().now
    var batch: PosteriorBatch
    switch options.method {
    case .map: preconditionFailure("the most probable picture alone has no draws")
    case .nuts, .hmc, .chees:
      batch = try drawByChains(
        options.method, posterior, modes, places: Array(modes.indices), key: key,
        progress: progress)
      let sampled = ContinuousClock().now
      try settleGroups(&batch, posterior, key: key, progress: progress)
      batch.samplingSeconds += (ContinuousClock().now - sampled).inSeconds
      return batch
    case .laplace: batch = try drawLaplace(posterior, modes, key: key)
    case .mixture:
      batch = try drawMixture(posterior, modes, key: key, progress: progress)
    case .smc: batch = try drawSequentially(posterior, modes, key: key, progress: progress)
    }
    batch.samplingSeconds = (ContinuousClock().now - start).inSeconds - batch.warmupSeconds
    return batch
  }

  /// Exact draws of the approximation that holds the most mass.
  private func drawLaplace(
    _ posterior: ImagePosterior, _ modes: [ModeSet], key: RandomKey
  ) throws -> PosteriorBatch {
    let found = try approximate(modes, Array(modes.indices), of: posterior)
    let count = options.chains * options.draws
    let sets = found.approximations.enumerated().map { place, found in
      let drawKey = key.child("laplace").child(place)
      return PointSet(
        problem: place,
        positions: (0..<count).flatMap { index in
          var stream = drawKey.child(index).stream()
          return found.approximations[0].draw(from: &stream)
        })
    }
    var values = sets.map { _ in [Double](repeating: 0, count: count) }
    try evaluate(posterior, at: sets, lanesPerBlock: options.lanesPerBlock, pool: pool) {
      // A draw of the approximation may fall where the posterior is zero; files hold finite numbers.
      values[$0][$1] = max($2.logDensity, -.greatestFiniteMagnitude)
    }
    let runs = found.approximations.enumerated().map { place, found in
      let best = found.approximations[0]
      var notes = [
        "the draws are independent, but from a Gaussian approximation at the heaviest mode: no "
          + "diagnostic here tells how good that is"
      ]
      if let reason = best.fallback { notes.append(reason) }
      if found.approximations.count > 1 {
        notes.append(
          String(
            format: "that mode has %.0f %% of the mass of %d modes, and the others are left out",
            100 * found.modes.entries[0].weight, found.approximations.count))
      }
      return PosteriorRun(
        method: .laplace,
        draws: DrawSet(
          chains: options.chains, draws: options.draws, dimension: posterior.dimension,
          positions: sets[place].positions, logDensities: values[place]),
        assurance: .independent(effectiveSampleSize: Double(count)), modes: found.modes,
        evidence: .init(log: best.logEvidence, error: nil), notes: notes)
    }
    return PosteriorBatch(problems: runs, gradients: found.gradients + modes.count * count)
  }

  /// Of the draws asked for, how many each particle stands for: it costs as much as that many transitions
  /// and more.
  private static let drawsForOneParticle = 4

  /// Particles from draws of the prior for the problems of these places: islands for chains, half as many.
  func runParticles(
    _ posterior: ImagePosterior, places: [Int], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> SequentialMonteCarloRun {
    guard posterior.logarithmicCount == 0 else {
      throw PipelineError.usage(
        "--method smc begins with draws of the prior, which values beyond the ends of the range do not "
          + "have here: use nuts, or --clipped no")
    }
    let islands = max(min(options.chains, 2), options.chains / 2)
    let wanted = max(options.chains * options.draws / Self.drawsForOneParticle, options.samples)
    let particles = max(2, (wanted + islands - 1) / islands)
    let problems = try places.map { place in
      let problemKey = key.child("particles").child(place)
      let draws = try posterior.priorDraws(
        islands * particles, problem: place, of: model, key: problemKey.child("prior"))
      return ParticleProblem(
        index: place,
        islands: (0..<islands).map { Array(draws[$0 * particles..<($0 + 1) * particles]) },
        key: problemKey.child("moves"))
    }
    let sequential = SequentialMonteCarloOptions(
      targetAcceptance: options.targetAcceptance ?? SolveOptions.Method.smc.recommendedAcceptance,
      lanesPerBlock: options.lanesPerBlock)
    return try withoutActuallyEscaping(progress) { progress in
      try sampleSequentially(
        posterior, problems: problems, options: sequential, pool: pool,
        progress: { progress(.init(sampling: $0)) })
    }
  }

  private func drawSequentially(
    _ posterior: ImagePosterior, _ modes: [ModeSet], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> PosteriorBatch {
    let run = try runParticles(
      posterior, places: Array(modes.indices), key: key, progress: progress)
    let several = modes.indices.filter {
      modes[$0].entries.count { $0.weight >= ModeApproximations.smallestWeight } > 1
    }
    let found = try approximate(several.map { modes[$0] }, several, of: posterior)
    let approximations = Dictionary(uniqueKeysWithValues: zip(several, found.approximations))
    let runs = run.problems.enumerated().map { place, run in
      let found = approximations[place]
      return PosteriorRun(
        method: .smc, draws: run.draws,
        assurance: .islands(ancestralSampleSize: run.ancestralSampleSize),
        modes: found?.modes ?? modes[place],
        mixture: found.flatMap { $0.approximations.count > 1 ? $0.mixture : nil },
        evidence: .init(log: run.logEvidence, error: run.logEvidenceError))
    }
    return PosteriorBatch(problems: runs, gradients: run.gradients + found.gradients)
  }
}
