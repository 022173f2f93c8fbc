import Diagnostics
import Foundation
import Probability
import Problems
import Sampling

/// One picture's draws, by whatever method, and what the method can tell of them.
package struct PosteriorRun {
  /// ln p(y), nats, with its standard error where one is known.
  package struct Evidence: Equatable {
    package let log: Double
    package let error: Double?
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
  package let method: SolveOptions.Method
  package let draws: DrawSet
  let assurance: Assurance
  /// The modes that draws are counted by: distinct ones where there is a mixture.
  package let modes: ModeSet
  /// One component for each of `modes`; nil where one mode has all the mass.
  package var mixture: GaussianMixture?
  package var evidence: Evidence?
  /// k̂ and effective sample size of importance weights, also of those given up.
  package var importance: (shape: Double, effectiveSampleSize: Double)?
  /// Why the method asked for was given up; nil when it was not.
  package var fallback: String?
  /// What to know of the draws besides.
  package var notes: [String] = []

  /// Chains that stay apart, the largest group first; empty when all agree.
  package var groups: [ChainGroup] = []
  /// Draws with the groups in the shares of the posterior, for pictures.
  package var settled: DrawSet?

  package var chains: ProblemRun? {
    if case .chains(let run) = assurance { run } else { nil }
  }

  package var divergences: Int { chains?.divergences ?? 0 }

  /// Of chains that could jump between modes.
  package var jumps: JumpCounts? {
    chains.flatMap { $0.jumps.independenceProposals == 0 ? nil : $0.jumps }
  }

  /// With fewer ancestors a mode's share may be off by more than a tenth, ½/√N.
  static let smallestAncestralSize = 25.0

  /// - Parameter draws: the run's in base variables.
  package func verdict(of draws: DrawSet) -> Verdict {
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
package struct PosteriorBatch {
  package var problems: [PosteriorRun]
  var gradients = 0
  /// Seconds before the first kept draw, and from there on.
  package var warmupSeconds = 0.0
  package var samplingSeconds = 0.0
  /// Of chains.
  package var laneUtilization: Double?
}
