import Foundation
import ImageFiles
import Inversion
import Tensors
import SmallModels
import Testing
import Workers

@testable import Judging
@testable import Numerics

@Suite struct PictureScoresTests {
  /// One channel of two rows and three columns.
  private let small = ImageSet(
    shape: Shape(1, 2, 3), count: 2, storage: .bytes([0, 51, 102, 153, 204, 255] + (1...6)))

  private func flipped(_ direction: FlippedImages.Direction, _ index: Int) -> [Float] {
    var values = [Float](repeating: 0, count: 6)
    values.withUnsafeMutableBufferPointer {
      FlippedImages(base: small, direction: direction).copy(index, into: $0.baseAddress!)
    }
    return values.map { ($0 * 255).rounded() }
  }

  // Fails when: directions are swapped; a pixel is swapped twice.
  @Test("flips turn rows or columns over")
  func flips() {
    #expect(flipped(.vertical, 0) == [153, 204, 255, 0, 51, 102])
    #expect(flipped(.horizontal, 0) == [102, 51, 0, 255, 204, 153])
    #expect(flipped(.vertical, 1) == [4, 5, 6, 1, 2, 3])
  }

  // Fails when: a score's percentile is taken from another's quantiles.
  @Test("each score has its own percentiles")
  func percentiles() {
    func uniform(_ top: Double) -> [Float] { ScoreQuantiles.quantiles(of: [0, top]) }
    let quantiles = ScoreQuantiles(
      pictures: 2, marginalPictures: 2, flow: uniform(1), reconstruction: uniform(2),
      sum: uniform(4), marginal: uniform(5))
    let expected: [PictureScore: Double] = [
      .flow: 50, .reconstruction: 25, .sum: 12.5, .marginal: 10,
    ]
    for (score, percentile) in expected {
      #expect(abs(quantiles.percentile(of: 0.5, score) - percentile) < 1e-4, "\(score)")
    }
  }

  // x = (z₁, z₂, 0, 0) + ε, z = gain · (x₁, x₂), u = z, s = 0.04. Fails when: the residual's constant is lost.
  @Test("flow and reconstruction have their closed form")
  func closedForm() throws {
    let model = try linearModel(gain: 0.5)
    let x: [Float] = [0.4, -0.6, 0.1, 0.2]
    let scores = try PictureScores(
      ImageSet(shape: model.imageShape, count: 1, storage: .floats(x)), model: model,
      marginalCount: 0, pool: WorkerPool(threads: 1))
    let flow = -0.5 * (0.2 * 0.2 + 0.3 * 0.3) - log(2 * Double.pi)
    let squares = 0.2 * 0.2 + 0.3 * 0.3 + 0.1 * 0.1 + 0.2 * 0.2
    let reconstruction = -0.5 * squares / 0.04 - 2 * log(2 * Double.pi * 0.04)
    #expect(abs(scores.flow[0] - flow) < 1e-5)
    #expect(abs(scores.reconstruction[0] - reconstruction) < 1e-5)
    #expect(scores.sum[0] == scores.flow[0] + scores.reconstruction[0])
    #expect(scores.marginal.isEmpty && scores[.marginal].isEmpty)
  }
}
