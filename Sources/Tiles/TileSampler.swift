import Foundation
import Randomness
import Tensors
import Workers

/// Draws of whole pictures: chains of `TileChain` whose ρ falls from level to level, each from another seed,
/// each leaving one draw, so that draws are independent.
///
/// While ρ is of the size of the noise the wide directions of the posterior are found; at small ρ the narrow
/// ones get their width, which takes one or two sweeps since a sweep moves by about ρ.
struct TileSampler {
  /// Mosaics of a sweep on average. With 1 the law is the geometric mean over mosaics, each of which knows
  /// nothing across its borders: on test photographs at σ = 25 of 255 its draws were 1.4 times too wide, with 2
  /// as much too narrow; at 1.3 their width is that of the errors (`camera`: 8.1 against 8.1).
  static let calibratedMosaics = 1.3

  /// ρ of each level, falling.
  let deviations: [Double]
  let sweepsPerLevel: Int
  /// Mosaics of a sweep.
  let mosaics: Double

  /// - Precondition: 0 < last ≤ first, at least 2 levels.
  init(from first: Double, to last: Double, levels: Int, sweepsPerLevel: Int, mosaics: Double) {
    precondition(levels >= 2 && last > 0 && last <= first && sweepsPerLevel >= 1)
    deviations = (0..<levels).map {
      first * pow(last / first, Double($0) / Double(levels - 1))
    }
    self.sweepsPerLevel = sweepsPerLevel
    self.mosaics = mosaics
  }

  /// `count` draws, chain c with the key `key.child(c)`; at most `atOnce` chains in memory.
  /// - Parameters:
  ///   - makeStep: a step for each thread.
  ///   - start: C×H×W, where each chain starts.
  ///   - progress: called with the share of the work that is done.
  func draws(
    _ count: Int, start: Tensor, _ average: TileAverage, key: RandomKey, atOnce: Int,
    makeStep: () throws -> any PictureStep, progress: (Double) -> Void = { _ in }
  ) rethrows -> [Tensor] {
    let threads = min(average.workers.count, count)
    let steps = try (0..<threads).map { _ in try makeStep() }
    var draws: [Tensor] = []
    var done = 0
    let total = (count + atOnce - 1) / atOnce * deviations.count
    for first in stride(from: 0, to: count, by: atOnce) {
      let chains = (first..<min(first + atOnce, count)).map {
        TileChain(start: start, side: average.prior.side, key: key.child($0))
      }
      for deviation in deviations {
        let mixtures = average.samplingMixtures(
          deviation: deviation, height: start.shape[1], width: start.shape[2])
        let active = min(threads, chains.count)
        average.pool.run(active) { thread in
          for chain in stride(from: thread, to: chains.count, by: active) {
            for _ in 0..<sweepsPerLevel {
              chains[chain].sweep(
                mixtures, average.workers[thread], steps[thread], mosaics: mosaics)
            }
          }
        }
        done += 1
        progress(Double(done) / Double(total))
      }
      draws += chains.map { Tensor(shape: start.shape, values: $0.picture.array) }
    }
    return draws
  }
}

extension TileAverage {
  /// The mixtures of a sweep at ρ = `deviation`, for the picture with its margin and its pictures of means.
  func samplingMixtures(deviation: Double, height: Int, width: Int) -> [NoisyMixture] {
    var result: [NoisyMixture] = []
    var variance = deviation * deviation
    var least = min(height, width)
    repeat {
      result.append(NoisyMixture(prior, variance: variance, parts: .draws, pool: pool))
      variance /= Double(prior.side * prior.side)
      least /= prior.side
    } while least >= max(Self.leastSide, prior.side)
    return result
  }
}
