import Foundation
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
  /// Meant to catch: the constant without the determinant; the form divided by v instead of 2 v; the means left
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
    var kept = 0
    for tile in 0..<number {
      let lost = first.logEvidence[tile] - second.logEvidence[tile]
      // Nothing is added but rounding.
      #expect(lost > -2e-3)
      guard abs(lost) < 2e-3 else { continue }
      kept += 1
      for pixel in tile * prior.tileCount..<(tile + 1) * prior.tileCount {
        // What is lost, or below `leastShare` on one side, times the means' spread.
        #expect(abs(first.means.pointer[pixel] - second.means.pointer[pixel]) < 5e-3)
      }
    }
    // These components are not along principal codes, as a fitted mixture's nearly are: some tiles lose more.
    #expect(kept >= number / 2)
  }

  /// Tiles drawn from the shipped model in noise: the screen leaves the most probable component of them.
  ///
  /// Meant to catch: codes beyond the lead without their squares; the threshold left at the margin.
  @Test("no more pass than may, and the most probable does", arguments: [0.01, 1e-4])
  func limit(variance: Double) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "data/models/photo.safetensors")
    let prior = try TilePrior.read(path: file.path)
    let (size, number) = (prior.latent, 400)
    var stream = RandomKey(seed: 33).stream()
    var codes: [Float] = []
    for tile in 0..<number {
      let component = tile % prior.density.componentCount
      let factor = try #require(prior.density.factor(component, adding: variance)).upper
      let white = stream.normals(size)
      for row in 0..<size {
        codes.append(
          Float((0...row).reduce(0) { $0 + factor[row * size + $1] * white[$1] }))
      }
    }
    let whole = NoisyMixture(prior, variance: variance, parts: .allScores, pool: nil)
    let screened = NoisyMixture(prior, variance: variance, parts: [], pool: nil)
    let (first, second) = (TileWorker(prior), TileWorker(prior))
    first.load(codes: codes, count: number)
    first.score(whole)
    first.takeMostProbable()
    second.load(codes: codes, count: number)
    second.score(screened, atMost: 16)
    var passed = [Int](repeating: 0, count: number)
    for pair in 0..<second.pairs.count { passed[Int(second.pairs.tiles[pair])] += 1 }
    #expect(passed.allSatisfy { (1...16).contains($0) })
    second.takeMostProbable()
    #expect(first.pairs.count == number && second.pairs.count == number)
    var chosen = [[Int]](repeating: [], count: number)
    for worker in [first, second] {
      for component in 0..<prior.density.componentCount {
        for pair in worker.pairs.starts[component]..<worker.pairs.starts[component + 1] {
          chosen[Int(worker.pairs.tiles[pair])].append(component)
        }
      }
    }
    #expect(chosen.count { $0[0] == $0[1] } >= number * 95 / 100)
  }
}
