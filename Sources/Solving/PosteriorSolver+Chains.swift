import Inversion
import Problems
import Randomness
import Sampling

extension PosteriorSolver {
  /// Chains of `method` for the problems of these places in the batch, and what of the modes they need.
  ///
  /// Where the search found several modes of mass the chains jump between them, also between such that are
  /// counted as one: the bridge between these may be narrow.
  func drawByChains(
    _ method: SolveOptions.Method, _ posterior: ImagePosterior, _ modes: [ModeSet], places: [Int],
    key: RandomKey, progress: (SolveProgress) -> Bool
  ) throws -> PosteriorBatch {
    let several = places.filter { place in
      modes[place].entries.count { $0.weight >= ModeApproximations.smallestJumpWeight } > 1
    }
    let found = try approximate(several.map { modes[$0] }, several, of: posterior)
    let approximations = Dictionary(uniqueKeysWithValues: zip(several, found.approximations))
    let mixtures = approximations.compactMapValues {
      $0.approximations.count > 1 ? $0.mixture : nil
    }
    let problems = places.map { place in
      let problemKey = key.child("chains").child(place)
      return SamplingProblem(
        index: place,
        starts: modes[place].chainStarts(
          count: options.chains, key: problemKey.child("starts")),
        initialMetric: modes[place].metric, key: problemKey.child("draws"),
        jumps: approximations[place].map {
          ModeJumps(
            mixture: $0.places.withDegreesOfFreedom(Self.jumpDegreesOfFreedom), interval: 1)
        })
    }
    let run = try runChains(method, posterior, problems, progress: progress)
    return PosteriorBatch(
      problems: zip(places, run.problems).map { place, problem in
        PosteriorRun(
          method: method, draws: problem.draws, assurance: .chains(problem),
          modes: approximations[place]?.modes ?? modes[place], mixture: mixtures[place])
      },
      gradients: run.gradients + found.gradients, warmupSeconds: run.warmupSeconds,
      samplingSeconds: run.samplingSeconds, laneUtilization: run.laneUtilization)
  }

  /// Tails of the jumps' mixture.
  static let jumpDegreesOfFreedom = 8.0

  func approximate(
    _ sets: [ModeSet], _ problems: [Int], of posterior: ImagePosterior
  ) throws -> (approximations: [ModeApproximations], gradients: Int) {
    try ModeApproximations.find(
      sets, problems: problems, of: posterior, lanesPerBlock: options.lanesPerBlock, pool: pool)
  }

  private func runChains(
    _ method: SolveOptions.Method, _ posterior: ImagePosterior, _ problems: [SamplingProblem],
    progress: (SolveProgress) -> Bool
  ) throws -> SamplingRun {
    let sampler = SamplerOptions(
      draws: options.draws, warmup: options.warmup,
      targetAcceptance: options.targetAcceptance ?? method.recommendedAcceptance,
      lanesPerBlock: options.lanesPerBlock)
    func run(_ kernel: some MarkovKernel) throws -> SamplingRun {
      try withoutActuallyEscaping(progress) { progress in
        try Sampling.sample(
          posterior, problems: problems, kernel: kernel, options: sampler, pool: pool,
          progress: { progress(.init(sampling: $0)) })
      }
    }
    return switch method {
    case .hmc: try run(HamiltonianMonteCarlo())
    case .chees: try run(CheesHamiltonianMonteCarlo())
    default: try run(NoUTurnSampler())
    }
  }
}

extension SolveProgress {
  package init(sampling progress: Progress) {
    self.init(
      stage: .sampling, fraction: Double(progress.done) / Double(max(progress.total, 1)),
      divergences: progress.divergences)
  }
}
