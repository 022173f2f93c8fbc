import Inversion
import Likelihoods
import Probability
import Problems
import Randomness
import Tensors
import Workers

/// The pictures of one solution, C×H×W intensities each.
package struct SolutionPictures {
  /// nil for `.map`, like `standardDeviation`.
  package let mean: Tensor?
  package let standardDeviation: Tensor?
  package let map: Tensor
  /// One picture for each mode that carries at least one per cent, heaviest first.
  package let modes: [Tensor]
  package let draws: [Tensor]
  /// The mean picture of each group of chains that stay apart.
  package let groups: [Tensor]

  /// - Parameter count: how many pictures are drawn.
  init(
    _ solution: Solution, posterior: ImagePosterior, residual: any ResidualLaw,
    count: Int, key: RandomKey, pool: WorkerPool
  ) throws {
    func picture(_ position: [Double]) throws -> Tensor {
      try PosteriorPictures.picture(
        of: position, posterior: posterior, problem: solution.problem,
        residual: residual)
    }
    map = try picture(solution.modes.best.position)
    modes = try solution.modes.entries.filter { $0.weight >= 0.01 }.map {
      try picture($0.mode.position)
    }
    guard let run = solution.run else {
      (mean, standardDeviation, draws, groups) = (nil, nil, [], [])
      return
    }
    let kept = run.settled ?? run.draws
    let pictures = try PosteriorPictures(
      posterior: posterior, problem: solution.problem, draws: kept,
      residual: residual, pool: pool)
    mean = pictures.mean
    standardDeviation = pictures.standardDeviation
    draws = try PosteriorPictures.drawn(
      count, posterior: posterior, problem: solution.problem, draws: kept,
      residual: residual, key: key.child("samples"))
    groups = try run.groups.map { group in
      try PosteriorPictures(
        posterior: posterior, problem: solution.problem, draws: run.draws.chains(group.chains),
        residual: residual, pool: pool
      ).mean
    }
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
