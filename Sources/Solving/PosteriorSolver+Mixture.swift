import Inversion
import Problems
import Randomness
import Sampling

extension PosteriorSolver {
  /// Degrees of freedom of the proposal: its tails are heavier than the posterior's.
  static let proposalDegreesOfFreedom = 7.0
  /// The least share that a mode has of the proposal, over the number of modes.
  static let proposalShare = 0.1
  /// Draws a round, at least, and for each one kept: weights take some away.
  static let smallestRound = 4096
  static let drawsForOneKept = 4

  /// Weighted draws of the mixture of the approximations at the modes, resampled; chains of the
  /// No-U-Turn sampler for pictures whose weights cannot be relied on.
  func drawMixture(
    _ posterior: ImagePosterior, _ modes: [ModeSet], key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> PosteriorBatch {
    let found = try approximate(modes, Array(modes.indices), of: posterior)
    let importance = ImportanceOptions(
      draws: max(Self.smallestRound, Self.drawsForOneKept * options.chains * options.draws),
      adaptations: 3,
      lanesPerBlock: options.lanesPerBlock)
    let problems = found.approximations.enumerated().map { place, found in
      ImportanceProblem(
        index: place,
        proposal: found.mixture
          .withWeights(atLeast: Self.proposalShare / Double(found.approximations.count))
          .withDegreesOfFreedom(Self.proposalDegreesOfFreedom),
        key: key.child("mixture").child(place))
    }
    let runs = try withoutActuallyEscaping(progress) { progress in
      try sampleByImportance(
        posterior, problems: problems, options: importance, pool: pool,
        progress: { progress(.init(sampling: $0)) })
    }
    let gradients = runs.reduce(found.gradients) { $0 + $1.shapes.count * importance.draws }
    let failed = runs.indices.filter { runs[$0].reason != nil }
    var batch = PosteriorBatch(problems: [])
    if !failed.isEmpty {
      batch = try drawByChains(
        .nuts, posterior, modes, places: failed, key: key, progress: progress)
    }
    batch.gradients += gradients
    let chains = Dictionary(uniqueKeysWithValues: zip(failed, batch.problems))
    batch.problems = runs.enumerated().map { place, run in
      let numbers = (run.smoothing.shape, run.effectiveSampleSize)
      if var fallen = chains[place] {
        fallen.fallback = run.reason
        fallen.importance = numbers
        return fallen
      }
      return PosteriorRun(
        method: .mixture,
        draws: run.resampled(
          chains: options.chains, draws: options.draws,
          key: key.child("resampled").child(place)),
        assurance: .independent(effectiveSampleSize: run.effectiveSampleSize),
        modes: found.approximations[place].modes,
        mixture: found.approximations[place].approximations.count > 1
          ? found.approximations[place].mixture : nil,
        evidence: .init(log: run.logEvidence, error: run.logEvidenceError), importance: numbers)
    }
    return batch
  }
}
