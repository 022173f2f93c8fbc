import Diagnostics
import Foundation
import Inversion
import Judging
import Likelihoods
import Probability
import Problems
import Randomness
import Solving
import Tensors
import Workers

/// The pictures of one solution, and how well they fit.
struct SolutionPictures {
  /// nil for `--method map`, like `standardDeviation`.
  let mean: Tensor?
  let standardDeviation: Tensor?
  let map: Tensor
  /// One picture for each mode that carries at least one per cent, heaviest first.
  let modes: [Tensor]
  let draws: [Tensor]
  /// The mean picture of each group of chains that stay apart.
  let groups: [Tensor]
  let quality: SolveReport.Quality?

  /// Draws that the coverage of the truth is counted in.
  private static let coverageDraws = 400

  init(
    _ solution: Solution, posterior: ImagePosterior, residual: any ResidualLaw,
    options: SolveOptions, key: RandomKey, pool: WorkerPool
  ) throws {
    func picture(_ position: [Double]) throws -> Tensor {
      try PosteriorPictures.picture(
        of: position, posterior: posterior, problem: solution.problem,
        residual: residual)
    }
    let best = try picture(solution.modes.best.position)
    map = best
    modes = try solution.modes.entries.filter { $0.weight >= 0.01 }.map {
      try picture($0.mode.position)
    }
    guard let run = solution.run else {
      (mean, standardDeviation, draws) = (nil, nil, [])
      groups = []
      quality = solution.picture.truth.map {
        SolveReport.Quality(picture: best, truth: $0, coverage90: nil)
      }
      return
    }
    let kept = run.settled ?? run.draws
    let pictures = try PosteriorPictures(
      posterior: posterior, problem: solution.problem, draws: kept,
      residual: residual, pool: pool)
    mean = pictures.mean
    standardDeviation = pictures.standardDeviation
    draws = try PosteriorPictures.drawn(
      options.samples, posterior: posterior, problem: solution.problem, draws: kept,
      residual: residual, key: key.child("samples"))
    groups = try run.groups.map { group in
      try PosteriorPictures(
        posterior: posterior, problem: solution.problem, draws: run.draws.chains(group.chains),
        residual: residual, pool: pool
      ).mean
    }
    guard let truth = solution.picture.truth else {
      quality = nil
      return
    }
    let many = try PosteriorPictures.drawn(
      Self.coverageDraws, posterior: posterior, problem: solution.problem, draws: kept,
      residual: residual, key: key.child("coverage"))
    quality = SolveReport.Quality(
      picture: pictures.mean, truth: truth,
      coverage90: many.count >= 100 ? PictureFidelity.coverage90(many, truth: truth) : nil)
  }

}

extension DrawSet {
  /// These chains alone.
  fileprivate func chains(_ chosen: [Int]) -> DrawSet {
    let row = draws * dimension
    return DrawSet(
      chains: chosen.count, draws: draws, dimension: dimension,
      positions: chosen.flatMap { positions[$0 * row..<($0 + 1) * row] },
      logDensities: chosen.flatMap { logDensities[$0 * draws..<($0 + 1) * draws] })
  }
}
