import Diagnostics
import Foundation
import Probability
import Sampling

/// One picture's draws, by whatever method, and what the method can tell of them.
struct PosteriorRun {
  /// ln p(y), nats, with its standard error where one is known.
  struct Evidence: Equatable {
    let log: Double
    let error: Double?
  }

  /// What makes draws reliable that no chain made.
  enum Assurance {
    /// The chains' own statistics.
    case chains(ProblemRun)
    /// Independent but for repetitions: worth so many draws.
    case independent(effectiveSampleSize: Double)
    /// Islands that began with draws of the prior of which so many still have a say.
    case islands(ancestralSampleSize: Double)
  }

  /// The method that made the draws, which is not the one asked for where that gave up.
  let method: SolveOptions.Method
  let draws: DrawSet
  let assurance: Assurance
  /// The modes that draws are counted by: distinct ones where there is a mixture.
  let modes: ModeSet
  /// One component for each of `modes`; nil where one mode has all the mass.
  var mixture: GaussianMixture?
  var evidence: Evidence?
  /// k̂ and effective sample size of importance weights, also of those given up.
  var importance: (shape: Double, effectiveSampleSize: Double)?
  /// Why the method asked for was given up; nil when it was not.
  var fallback: String?
  /// What to know of the draws besides.
  var notes: [String] = []

  /// Chains that stay apart, the largest group first; empty when all agree.
  var groups: [ChainGroup] = []
  /// Draws with the groups in the shares of the posterior, for pictures.
  var settled: DrawSet?

  var chains: ProblemRun? {
    if case .chains(let run) = assurance { run } else { nil }
  }

  var divergences: Int { chains?.divergences ?? 0 }

  /// Of chains that could jump between modes.
  var jumps: JumpCounts? {
    chains.flatMap { $0.jumps.independenceProposals == 0 ? nil : $0.jumps }
  }

  /// With fewer ancestors a mode's share may be off by more than a tenth, ½/√N.
  static let smallestAncestralSize = 25.0

  /// - Parameter draws: the run's in base variables.
  func verdict(of draws: DrawSet) -> Verdict {
    switch assurance {
    case .chains(let run):
      return Verdict(draws: draws, energies: run.energies, divergences: run.divergences)
    case .independent(let size):
      return Verdict(independent: draws, effectiveSampleSize: size)
    case .islands(let size):
      var reasons: [String] = []
      if size < Self.smallestAncestralSize {
        reasons.append(
          String(
            format:
              "the particles descend from %.0f draws of the prior in effect, fewer than %.0f: "
              + "the shares of modes are uncertain; raise --draws or --chains", size,
            Self.smallestAncestralSize))
      }
      return Verdict(
        draws: draws, energies: [], divergences: 0, source: .islands, reasons: reasons)
    }
  }
}

/// The runs of all pictures of a batch, and what they cost.
struct PosteriorBatch {
  var problems: [PosteriorRun]
  var gradients = 0
  /// Seconds before the first kept draw, and from there on.
  var warmupSeconds = 0.0
  var samplingSeconds = 0.0
  /// Of chains.
  var laneUtilization: Double?
}
