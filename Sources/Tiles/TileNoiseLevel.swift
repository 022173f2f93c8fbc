import Foundation
import Tensors
import Workers

/// The noise level of a picture by the evidence of its tiles: the σ that maximizes Σ_i ln p(y_i | σ) over
/// tiles that do not overlap, p the mixture in white noise of σ. Texture does not pass for noise, since the
/// mixture knows how the spectra of texture fall, and noise's does not.
///
/// The tiles of a picture are not independent, so no error is claimed.
enum TileNoiseLevel {
  /// In intensities: a quarter of a grey level to half the range.
  static let range = 0.001...0.5
  /// More tiles would cost time and tell the same.
  private static let mostTiles = 4096

  /// - Parameter places: tiles seen whole, each pixel in one at most.
  /// - Returns: nil where there are no tiles.
  static func estimate(
    _ prior: TilePrior, _ picture: Planes, places: [TilePlace], workers: [TileWorker],
    pool: WorkerPool
  ) -> Double? {
    guard !places.isEmpty else { return nil }
    let step = (places.count + mostTiles - 1) / mostTiles
    let chosen = stride(from: 0, to: places.count, by: step).map { places[$0] }
    func evidence(_ logSigma: Double) -> Double {
      let mixture = NoisyMixture(prior, variance: exp(2 * logSigma), parts: .allScores, pool: pool)
      let left = Double(prior.tileCount - prior.channels - prior.latent)
      let blocks = (chosen.count + TileWorker.capacity - 1) / TileWorker.capacity
      var sums = [Double](repeating: 0, count: blocks)
      sums.withUnsafeMutableBufferPointer { buffer in
        // Each block writes its own sum.
        nonisolated(unsafe) let output = buffer
        let threads = min(workers.count, blocks)
        pool.run(threads) { thread in
          for block in stride(from: thread, to: blocks, by: threads) {
            let first = block * TileWorker.capacity
            let worker = workers[thread]
            worker.load(picture, at: chosen[first..<min(first + TileWorker.capacity, chosen.count)])
            worker.score(mixture)
            output[block] = worker.logEvidence[0..<worker.count].reduce(0, +)
            if !prior.isComplete {
              let variance = mixture.variance + prior.residualVariance
              output[block] -=
                0.5
                * (worker.residualSquare() / variance + Double(worker.count) * left * log(variance))
            }
          }
        }
      }
      return sums.reduce(0, +)
    }
    return exp(maximum(of: evidence, in: log(range.lowerBound)...log(range.upperBound)))
  }

  /// The place of the maximum of a function of one maximum: the best of a coarse grid, then golden sections
  /// to 0.3 %.
  private static func maximum(
    of function: (Double) -> Double, in range: ClosedRange<Double>
  ) -> Double {
    let cells = 9
    let width = (range.upperBound - range.lowerBound) / Double(cells)
    let grid = (0...cells).map { range.lowerBound + Double($0) * width }
    let values = grid.map(function)
    let best = values.indices.max { values[$0] < values[$1] }!
    var (low, high) = (grid[max(best - 1, 0)], grid[min(best + 1, cells)])
    let golden = (5.0.squareRoot() - 1) / 2
    var (left, right) = (high - golden * (high - low), low + golden * (high - low))
    var (atLeft, atRight) = (function(left), function(right))
    while high - low > 0.003 {
      if atLeft < atRight {
        (low, left, atLeft) = (left, right, atRight)
        right = low + golden * (high - low)
        atRight = function(right)
      } else {
        (high, right, atRight) = (right, left, atLeft)
        left = high - golden * (high - low)
        atLeft = function(left)
      }
    }
    return 0.5 * (low + high)
  }
}
