import Inversion
import Sampling
import Workers

/// The modes of one picture with what the Hessian says of each, as far as they carry mass and are
/// distinct.
struct ModeApproximations {
  /// Heaviest first, weights by the approximations.
  let modes: ModeSet
  /// One for each of `modes`.
  let approximations: [LaplaceApproximation]

  /// Modes of a smaller share of the mass are left out.
  static let smallestWeight = 0.01
  /// Jumps are for modes of at least this share.
  static let smallestJumpWeight = 0.02

  var mixture: GaussianMixture { GaussianMixture(approximations) }

  /// Every maximum with a place of its own, for jumps: these are valid whatever the mixture, and two maxima
  /// that one broad Gaussian covers can lie a narrow bridge apart.
  let places: GaussianMixture

  /// Nearer maxima share a place: nothing is gained by jumping between them.
  private static let smallestDistance = 0.5

  /// Where the Hessian cannot be had the Gauss–Newton metric stands in.
  static func find(
    _ sets: [ModeSet], problems: [Int], of posterior: ImagePosterior, lanesPerBlock: Int?,
    pool: WorkerPool
  ) throws -> (approximations: [ModeApproximations], gradients: Int) {
    let kept = sets.map { set in set.entries.filter { $0.weight >= smallestWeight } }
    let points = zip(problems, kept).flatMap { problem, entries in
      entries.map {
        ExpansionPoint(problem: problem, position: $0.mode.position, metric: $0.metric)
      }
    }
    let found = try laplaceApproximations(
      of: posterior, at: points, lanesPerBlock: lanesPerBlock, pool: pool)
    var next = 0
    let results = zip(sets, kept).map { set, entries in
      let approximations = entries.map { entry in
        defer { next += 1 }
        return found[next]
          ?? LaplaceApproximation(
            mode: entry.mode.position, logDensityAtMode: entry.mode.logDensity,
            metric: entry.metric, fallback: "the Hessian is not finite")
      }
      return ModeApproximations(approximations, of: set)
    }
    // One expansion each; polishing steps are a few more.
    return (results, points.count * (2 * posterior.dimension + 1))
  }

  private init(_ found: [LaplaceApproximation], of set: ModeSet) {
    places = GaussianMixture(distinctModes(found, distance: Self.smallestDistance))
    let distinct = distinctModes(found).sorted { $0.logEvidence > $1.logEvidence }
    approximations = distinct
    let weights = GaussianMixture(distinct).weights
    modes = ModeSet(
      entries: zip(distinct, weights).map {
        ModeSet.Entry(
          mode: Mode(position: $0.mode, logDensity: $0.logDensityAtMode, starts: 1),
          metric: $0.metric, weight: $1)
      },
      isConverged: set.isConverged, best: set.best)
  }
}
