import Foundation
import Numerics
import Tensors
import Workers

/// What a picture's own tiles say about the mixture: maximum a posteriori EM with the shipped mixture as
/// hyper-prior and the noise known (Luo, Chan and Nguyen, IEEE TIP 2016, equations 17 to 23, with the noise
/// taken out exactly):
///
///     Σ_m ← (Σ_i r_im E[(z_i − μ_m)(z_i − μ_m)ᵀ | y_i, m] + τ Σ⁰_m) / (n_m + τ),   n_m = Σ_i r_im
///     w_m ← (n_m + ω N w⁰_m) / (N (1 + ω))
///
/// Means stay. With S the scatter of the noisy codes about μ, E[…] sums to W S W + n_m v W.
public struct TileAdaptation: Sendable, Equatable {
  /// Rounds of EM.
  public var rounds = 2
  /// τ, in tiles of each component.
  public var priorTiles = 60.0
  /// ω, the share of the shipped weights as a multiple of the picture's tiles.
  public var weightPrior = 0.5
  /// Every so many pixels along rows and columns there is a tile.
  public var stride = 2
  /// No more tiles than these are looked at: the stride is raised for large pictures.
  public var mostTiles = 260_000

  public init() {}

  /// The mixture adapted to a picture in white noise of σ = `sigma`.
  /// - Throws: `parts` when what comes out is no mixture.
  func adapted(
    _ prior: TilePrior, to picture: Planes, sigma: Double, workers: [TileWorker], pool: WorkerPool
  ) throws(TileError) -> TilePrior {
    var step = stride
    while picture.area / (step * step) > mostTiles { step += 1 }
    let pattern = TilePattern(
      height: picture.height, width: picture.width, side: prior.side, stride: step)
    let places = pattern.places(rows: 0..<picture.height)
    var current = prior
    for _ in 0..<rounds {
      let mixture = NoisyMixture(current, variance: sigma * sigma, parts: [], pool: pool)
      let scatter = TileScatter.total(
        mixture, picture, places, workers: workers, pool: pool)
      current = try prior.replacing(update(prior.density, mixture, scatter, tiles: places.count))
    }
    return current
  }

  private func update(
    _ shipped: GaussianMixtureDensity, _ mixture: NoisyMixture, _ scatter: TileScatter, tiles: Int
  ) throws(TileError) -> GaussianMixtureDensity {
    let (size, count) = (shipped.dimension, shipped.componentCount)
    var weights = shipped.weights
    var covariances = shipped.covariances
    for component in 0..<count {
      let mass = scatter.masses[component]
      weights[component] =
        (mass + weightPrior * Double(tiles) * shipped.weights[component])
        / (Double(tiles) * (1 + weightPrior))
      guard mass > 0 else { continue }
      let second = scatter.noiseFree(component, mixture)
      let total = mass + priorTiles
      var place = component * shipped.triangle
      for row in 0..<size {
        for column in row..<size {
          let value =
            (Double(second[row * size + column]) + priorTiles * Double(covariances[place])) / total
          covariances[place] = Float(value)
          place += 1
        }
      }
    }
    return try GaussianMixtureDensity(
      dimension: size, weights: weights, means: shipped.means, covariances: covariances)
  }
}

/// Σ_i r_im and Σ_i r_im (y_i − μ_m)(y_i − μ_m)ᵀ of the noisy codes y of some tiles.
final class TileScatter {
  /// M.
  private(set) var masses: [Double]
  /// M × K×K, full matrices.
  let sums: FloatBuffer
  private let density: GaussianMixtureDensity

  init(_ density: GaussianMixtureDensity) {
    self.density = density
    masses = [Double](repeating: 0, count: density.componentCount)
    sums = FloatBuffer(density.componentCount * density.dimension * density.dimension)
  }

  /// Of the tiles at `places`; blocks go to partial sums by their number, which are added in order, so that
  /// the threads do not matter.
  static func total(
    _ mixture: NoisyMixture, _ picture: Planes, _ places: [TilePlace], workers: [TileWorker],
    pool: WorkerPool
  ) -> TileScatter {
    let parts = (0..<2).map { _ in TileScatter(mixture.prior.density) }
    let blocks = (places.count + TileWorker.capacity - 1) / TileWorker.capacity
    pool.run(parts.count) { part in
      // One worker a part while there are two; else the parts run one after another on one.
      let worker = workers[part % workers.count]
      for block in Swift.stride(from: part, to: blocks, by: parts.count) {
        let start = block * TileWorker.capacity
        worker.load(picture, at: places[start..<min(start + TileWorker.capacity, places.count)])
        worker.score(mixture)
        worker.takeShares()
        parts[part].add(worker)
      }
    }
    parts[0].add(parts[1])
    return parts[0]
  }

  /// Adds the pairs of a worker's block.
  func add(_ worker: TileWorker) {
    let size = density.dimension
    let rows = worker.gather()
    for component in 0..<density.componentCount {
      let range = worker.pairs.starts[component]..<worker.pairs.starts[component + 1]
      guard !range.isEmpty else { continue }
      for pair in range {
        let share = worker.pairs.shares[pair]
        masses[component] += Double(share)
        let root = share.squareRoot()
        let row = rows + pair * worker.rowLength
        for index in 0..<size {
          row[index] = root * (row[index] - density.means[component * size + index])
        }
      }
      let length = worker.rowLength
      let first = rows + range.lowerBound * length
      multiply(
        .transposed, .plain, m: size, n: size, k: range.count, first, lda: length, first,
        ldb: length,
        beta: 1, into: sums.pointer + component * size * size, ldc: size)
    }
  }

  /// Adds those of other tiles.
  func add(_ other: TileScatter) {
    for index in masses.indices { masses[index] += other.masses[index] }
    for index in 0..<sums.count { sums.pointer[index] += other.sums.pointer[index] }
  }

  /// W S W + n v W of a component: the expected scatter of the codes without noise.
  func noiseFree(_ component: Int, _ mixture: NoisyMixture) -> [Float] {
    let size = density.dimension
    let start = component * size * size
    let gain = mixture.gains.pointer + start
    var half = [Float](repeating: 0, count: size * size)
    multiply(
      m: size, n: size, k: size, gain, lda: size, sums.pointer + start, ldb: size, into: &half,
      ldc: size)
    var result = (0..<size * size).map {
      Float(masses[component] * mixture.variance) * gain[$0]
    }
    multiply(
      m: size, n: size, k: size, half, lda: size, gain, ldb: size, beta: 1, into: &result, ldc: size
    )
    return result
  }
}
