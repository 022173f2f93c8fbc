import Foundation
import Numerics
import Tensors
import Workers

/// Estimates of a whole picture from the closed-form posteriors of all its tiles, where the data are the
/// picture in white noise.
///
/// - `mean`: x̂ = Σ_i x̂_i / v_i ÷ Σ_i 1 / v_i over the tiles i that cover a pixel, v_i the pixel's
///   posterior variance in tile i; its variance is the harmonic mean of the v_i. An average over offsets is an
///   estimator, not the posterior of one model.
/// - `step`: the plain average of each tile's posterior mean in its most probable component, the step of
///   EPLL (Zoran and Weiss, ICCV 2011, section 3.2).
///
/// The means of the tiles of one mosaic are themselves a picture, 1/t of the size in white noise of σ/t, and
/// are estimated as such by the same prior, while the smaller side is at least 16 pixels.
final class TileAverage {
  /// A picture of means is ruled by the prior down to this side.
  static let leastSide = 16
  /// Rows of tiles' places that one worker takes at a time.
  private static let bandRows = 32
  /// Components of a tile that pass the screen: for the mean, where dozens may have a share (on `camera` in noise
  /// of 0.1, 64 cost 0.01 dB, 32 0.03, 16 0.06), and for the one that is most probable.
  private static let mostAveraged = 64, mostCompared = 16

  let prior: TilePrior
  let pool: WorkerPool
  /// One a thread.
  let workers: [TileWorker]

  enum Product {
    case mean
    case step
  }

  init(_ prior: TilePrior, pool: WorkerPool) {
    self.prior = prior
    self.pool = pool
    workers = (0..<pool.threads).map { _ in TileWorker(prior) }
  }

  /// The mixtures seen through white noise of σ = `sigma`, for the picture and each smaller picture of means.
  func mixtures(
    sigma: Double, height: Int, width: Int, product: Product = .mean
  ) -> [NoisyMixture] {
    var result: [NoisyMixture] = []
    var variance = sigma * sigma
    var least = min(height, width)
    repeat {
      let parts: NoisyMixture.Parts = product == .step && result.isEmpty ? [] : .pixelVariances
      result.append(NoisyMixture(prior, variance: variance, parts: parts, pool: pool))
      variance /= Double(prior.side * prior.side)
      least /= prior.side
    } while least >= max(Self.leastSide, prior.side)
    return result
  }

  /// - Parameter mixtures: of `mixtures(sigma:…)`.
  func estimate(
    _ picture: Planes, _ mixtures: [NoisyMixture], stride: Int, product: Product = .mean
  ) -> TileEstimate {
    let pattern = TilePattern(
      height: picture.height, width: picture.width, side: prior.side, stride: stride)
    let means = tileMeans(picture, mixtures[...], pattern, worker: nil)
    let estimate = TileEstimate(count: picture.channels * picture.area)
    let bands = (picture.height + Self.bandRows - 1) / Self.bandRows
    precondition(Self.bandRows >= prior.side)
    // Neighbouring bands share rows of pixels; bands of one parity do not.
    for parity in 0..<2 {
      let items = Array(Swift.stride(from: parity, to: bands, by: 2))
      let threads = min(workers.count, items.count)
      pool.run(threads) { [self] thread in
        for item in Swift.stride(from: thread, to: items.count, by: threads) {
          let first = items[item] * Self.bandRows
          deposit(
            pattern.places(rows: first..<first + Self.bandRows), picture, mixtures[0], means,
            product, workers[thread], into: estimate)
        }
      }
    }
    finish(estimate, picture, pattern)
    return estimate
  }

  /// The same on one thread, for the smaller pictures.
  private func estimate(
    _ picture: Planes, _ mixtures: ArraySlice<NoisyMixture>, worker: TileWorker
  ) -> TileEstimate {
    let pattern = TilePattern(
      height: picture.height, width: picture.width, side: prior.side, stride: 1)
    let means = tileMeans(picture, mixtures, pattern, worker: worker)
    let estimate = TileEstimate(count: picture.channels * picture.area)
    deposit(
      pattern.places(rows: 0..<picture.height), picture, mixtures.first!, means, .mean, worker,
      into: estimate)
    finish(estimate, picture, pattern)
    return estimate
  }

  /// The tiles' means, estimated as smaller pictures where there are mixtures for them.
  private func tileMeans(
    _ picture: Planes, _ mixtures: ArraySlice<NoisyMixture>, _ pattern: TilePattern,
    worker: TileWorker?
  ) -> TileMeans {
    let side = prior.side
    let means = TileMeans(
      picture, side: side, variance: Float(mixtures.first!.variance / Double(side * side)))
    let smaller = mixtures.dropFirst()
    guard !smaller.isEmpty else { return means }
    let rows = Set(pattern.rows.map { $0 % side }).sorted()
    let columns = Set(pattern.columns.map { $0 % side }).sorted()
    let phases = rows.flatMap { row in columns.map { (row, $0) } }
    let work = { [self] (phase: Int, worker: TileWorker) in
      let (row, column) = phases[phase]
      let (extents, values) = means.mosaic(row: row, column: column, side: side)
      guard min(extents.0, extents.1) >= side else { return }
      let small = Planes(
        values, channels: picture.channels, height: extents.0, width: extents.1)
      means.replace(
        row: row, column: column, side: side, with: estimate(small, smaller, worker: worker))
    }
    if let worker {
      for phase in phases.indices { work(phase, worker) }
    } else {
      let threads = min(workers.count, phases.count)
      pool.run(threads) { [self] thread in
        for phase in Swift.stride(from: thread, to: phases.count, by: threads) {
          work(phase, workers[thread])
        }
      }
    }
    return means
  }

  /// Adds tiles to the sums: `estimate.mean` Σ w x, `estimate.variance` Σ w.
  private func deposit(
    _ places: [TilePlace], _ picture: Planes, _ mixture: NoisyMixture, _ means: TileMeans,
    _ product: Product, _ worker: TileWorker, into estimate: TileEstimate
  ) {
    for start in Swift.stride(from: 0, to: places.count, by: TileWorker.capacity) {
      let block = places[start..<min(start + TileWorker.capacity, places.count)]
      worker.load(picture, at: block)
      switch product {
      case .mean:
        worker.score(mixture, atMost: Self.mostAveraged)
        worker.takeShares()
        worker.average(mixture, withSquares: true)
      case .step:
        worker.score(mixture, atMost: Self.mostCompared)
        worker.takeMostProbable()
        worker.average(mixture, withSquares: false)
      }
      for (tile, place) in block.enumerated() {
        add(tile, at: place, worker, picture, means, product, estimate)
      }
    }
  }

  private func add(
    _ tile: Int, at place: TilePlace, _ worker: TileWorker, _ picture: Planes, _ means: TileMeans,
    _ product: Product, _ estimate: TileEstimate
  ) {
    let side = prior.side
    var input = tile * prior.tileCount
    for channel in 0..<prior.channels {
      let spot = (channel * means.height + Int(place.row)) * means.width + Int(place.column)
      let (mean, spread) = (means.values.pointer[spot], means.variances.pointer[spot])
      let first = channel * picture.area + Int(place.row) * picture.width + Int(place.column)
      for row in 0..<side {
        let sums = estimate.mean.pointer + first + row * picture.width
        let weights = estimate.variance.pointer + first + row * picture.width
        let values = worker.means.pointer + input
        if product == .mean {
          let squares = worker.squares.pointer + input
          for column in 0..<side {
            let value = values[column]
            // Rounding can take the difference a little below nothing; the means' variance stays.
            let variance = max(squares[column] - value * value, 0) + spread
            let weight = 1 / variance
            sums[column] += weight * (value + mean)
            weights[column] += weight
          }
        } else {
          for column in 0..<side {
            sums[column] += values[column] + mean
            weights[column] += 1
          }
        }
        input += side
      }
    }
  }

  /// Sums become means, weights harmonic means of variances.
  private func finish(_ estimate: TileEstimate, _ picture: Planes, _ pattern: TilePattern) {
    let rows = TilePattern.covers(pattern.rows, side: prior.side, extent: picture.height)
    let columns = TilePattern.covers(pattern.columns, side: prior.side, extent: picture.width)
    for channel in 0..<picture.channels {
      for row in 0..<picture.height {
        let start = channel * picture.area + row * picture.width
        for column in 0..<picture.width {
          let weight = estimate.variance.pointer[start + column]
          estimate.mean.pointer[start + column] /= weight
          estimate.variance.pointer[start + column] = rows[row] * columns[column] / weight
        }
      }
    }
  }
}
