import Randomness
import Testing

@testable import Tiles

/// A mixture of many components, screened, against the same with all its scores.
@Suite struct ScreeningTests {
  private let variance = 0.01

  private func tiles(_ prior: TilePrior, count: Int) -> [Float] {
    var stream = RandomKey(seed: 31).stream()
    return (0..<count * prior.latent).map { index in
      // From flat tiles to the widest components.
      Float((0.05 + 0.1 * Double(index / prior.latent % 4)) * stream.normal())
    }
  }

  /// What passes the screen is scored exactly, so that with room for all the screen changes nothing but what
  /// its margin of e⁻¹² leaves out.
  ///
  /// Seen to fail: the constant without the determinant; the form divided by v instead of 2 v; the means left
  /// out of the form; starts not moved when pairs are dropped.
  @Test("all that pass: shares, evidence and means are the exact ones", arguments: [0.0, 0.1])
  func exactScores(shift: Double) throws {
    let prior = try SmallPrior.make(side: 6, components: 80, spread: 0.01, shift: shift)
    let whole = NoisyMixture(prior, variance: variance, parts: .allScores, pool: nil)
    let screened = NoisyMixture(prior, variance: variance, parts: [], pool: nil)
    #expect(screened.isScreened && !whole.isScreened)
    let (first, second) = (TileWorker(prior), TileWorker(prior))
    let number = 100
    let codes = tiles(prior, count: number)
    for (worker, mixture) in [(first, whole), (second, screened)] {
      worker.load(codes: codes, count: number)
      worker.score(mixture, atMost: 80)
      worker.takeShares()
      for index in 0..<number * prior.tileCount { worker.tiles.pointer[index] = 0 }
      worker.average(mixture, withSquares: false)
    }
    var differences: [Double] = []
    for tile in 0..<number {
      differences.append(abs(first.logEvidence[tile] - second.logEvidence[tile]))
      for pixel in tile * prior.tileCount..<(tile + 1) * prior.tileCount {
        #expect(abs(first.means.pointer[pixel] - second.means.pointer[pixel]) < 5e-3)
      }
    }
    // The screen is an approximation: a tile in a hundred may lose a component that matters a little.
    #expect(differences.sorted()[number * 9 / 10] < 2e-3)
    #expect(differences.max()! < 0.2)
  }

  /// Seen to fail: the last component skipped by the count; the threshold left at the margin.
  @Test("no more pass than may, and the most probable does")
  func limit() throws {
    let prior = try SmallPrior.make(side: 6, components: 80, spread: 0.01)
    let whole = NoisyMixture(prior, variance: variance, parts: .allScores, pool: nil)
    let screened = NoisyMixture(prior, variance: variance, parts: [], pool: nil)
    let (first, second) = (TileWorker(prior), TileWorker(prior))
    let number = 200
    let codes = tiles(prior, count: number)
    first.load(codes: codes, count: number)
    first.score(whole)
    first.takeMostProbable()
    second.load(codes: codes, count: number)
    second.score(screened, atMost: 8)
    var passed = [Int](repeating: 0, count: number)
    for pair in 0..<second.pairs.count { passed[Int(second.pairs.tiles[pair])] += 1 }
    #expect(passed.allSatisfy { (1...8).contains($0) })
    second.takeMostProbable()
    #expect(first.pairs.count == number && second.pairs.count == number)
    var chosen = [[Int]](repeating: [], count: number)
    for worker in [first, second] {
      for component in 0..<80 {
        for pair in worker.pairs.starts[component]..<worker.pairs.starts[component + 1] {
          chosen[Int(worker.pairs.tiles[pair])].append(component)
        }
      }
    }
    #expect(chosen.allSatisfy { $0.count == 2 })
    #expect(chosen.count { $0[0] == $0[1] } >= number * 95 / 100)
  }
}
