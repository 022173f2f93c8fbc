import Foundation
import Randomness
import Tensors
import Testing

@testable import Tiles

/// Shares, evidence and posterior moments of codes against two-dimensional quadrature of p(z) N(y; z, v).
@Suite struct NoisyMixtureTests {
  private let variance = 0.04

  /// ∫ p(z) N(y; z, v), and the mean of Bᵀz over it, on a grid of cells much smaller than both widths.
  private func quadrature(_ prior: TilePrior, _ y: [Double]) -> (evidence: Double, mean: [Double]) {
    let density = prior.density
    let cells = 241
    let (low, step) = (-2.4, 4.8 / Double(cells - 1))
    var (total, sums) = (0.0, [0.0, 0.0])
    for first in 0..<cells {
      for second in 0..<cells {
        let z = [low + Double(first) * step, low + Double(second) * step]
        var value = 0.0
        for component in 0..<density.componentCount {
          let matrix = density.covariance(component)
          let determinant = matrix[0] * matrix[3] - matrix[1] * matrix[2]
          let d = (0..<2).map { z[$0] - Double(density.means[component * 2 + $0]) }
          let form =
            (matrix[3] * d[0] * d[0] - 2 * matrix[1] * d[0] * d[1] + matrix[0] * d[1] * d[1])
            / determinant
          value +=
            density.weights[component] * exp(-0.5 * form) / (2 * .pi * determinant.squareRoot())
        }
        let misfit = (0..<2).reduce(0) { $0 + (y[$1] - z[$1]) * (y[$1] - z[$1]) }
        value *= exp(-0.5 * misfit / variance) / (2 * .pi * variance) * step * step
        total += value
        for index in 0..<2 { sums[index] += value * z[index] }
      }
    }
    return (log(total), sums.map { $0 / total })
  }

  /// Seen to fail: the determinant left out of the offsets; the linear part of the scores (means) left out;
  /// off-diagonal scores counted once; shares not divided by what is kept.
  @Test("evidence and posterior mean are those of quadrature")
  func againstQuadrature() throws {
    let prior = try SmallPrior.make(latent: 2, residual: 0.01, shift: 0.3)
    let mixture = NoisyMixture(prior, variance: variance, parts: .pixelVariances, pool: nil)
    let worker = TileWorker(prior)
    for code in [[0.1, -0.2], [0.7, 0.4], [-0.5, 0.9]] {
      worker.load(codes: code.map(Float.init), count: 1)
      worker.score(mixture)
      worker.takeShares()
      let expected = quadrature(prior, code)
      #expect(abs(worker.logEvidence[0] - expected.evidence) < 1e-3)
      #expect(
        abs((0..<worker.pairs.count).reduce(0) { $0 + worker.pairs.shares[$1] } - 1) < 1e-5)
      for pixel in 0..<worker.prior.tileCount { worker.tiles.pointer[pixel] = 0 }
      for index in 0..<2 {
        for pixel in 0..<4 {
          worker.tiles.pointer[pixel] += Float(code[index]) * prior.basis[index * 4 + pixel]
        }
      }
      worker.average(mixture, withSquares: true)
      for pixel in 0..<4 {
        let painted = (0..<2).reduce(0.0) {
          $0 + expected.mean[$1] * Double(prior.basis[$1 * 4 + pixel])
        }
        #expect(abs(Double(worker.means.pointer[pixel]) - painted) < 2e-3)
      }
    }
  }

  /// Seen to fail: `roots` of W instead of v W; the shift left out of a draw.
  @Test("draws of a tile have the posterior's moments")
  func drawsHaveMoments() throws {
    let prior = try SmallPrior.make(components: 3, shift: 0.2)
    let mixture = NoisyMixture(
      prior, variance: variance, parts: [.pixelVariances, .draws], pool: nil)
    let worker = TileWorker(prior)
    let code: [Float] = [0.3, -0.4, 0.2]
    var stream = RandomKey(seed: 5).stream()
    let number = 400
    var (sums, squares) = ([Double](repeating: 0, count: 4), [Double](repeating: 0, count: 4))
    worker.load(codes: code, count: 1)
    worker.score(mixture)
    worker.takeShares()
    worker.average(mixture, withSquares: true)
    let means = (0..<4).map { Double(worker.means.pointer[$0]) }
    let variances = (0..<4).map { Double(worker.squares.pointer[$0]) - means[$0] * means[$0] }
    let rounds = 25
    for _ in 0..<rounds {
      let codes = [[Float]](repeating: code, count: number).flatMap { $0 }
      worker.load(codes: codes, count: number)
      worker.score(mixture)
      worker.takeDrawn(&stream)
      worker.draw(mixture, &stream)
      for tile in 0..<number {
        for pixel in 0..<4 {
          let value = Double(worker.means.pointer[tile * 4 + pixel]) - means[pixel]
          sums[pixel] += value
          squares[pixel] += value * value
        }
      }
    }
    let count = Double(number * rounds)
    for pixel in 0..<4 {
      // Four standard errors of a mean and, for nearly normal draws, of a variance.
      #expect(abs(sums[pixel] / count) < 4 * (variances[pixel] / count).squareRoot())
      #expect(abs(squares[pixel] / count / variances[pixel] - 1) < 4 * (3 / count).squareRoot())
    }
  }
}
