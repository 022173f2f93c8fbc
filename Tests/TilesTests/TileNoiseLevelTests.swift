import Foundation
import Randomness
import Tensors
import Testing
import Workers

@testable import Tiles

@Suite struct TileNoiseLevelTests {
  /// 1,000 tiles drawn from the prior, each a picture's own block: the estimate's error is about
  /// σ/√(2 · 1000 · 15) where codes are narrow; 3 % are five of them.
  ///
  /// Seen to fail: the residual's evidence left out; variance for deviation in the search.
  @Test("tiles from the prior in noise tell its level", arguments: [0.02, 0.1])
  func level(sigma: Double) throws {
    for residual in [0.0, 0.0009] {
      let prior = try SmallPrior.make(
        side: 4, latent: residual > 0 ? 9 : 15, components: 3, residual: residual)
      var stream = RandomKey(seed: 51).stream()
      let worker = TileWorker(prior)
      // A draw given nothing: the posterior in noise of a thousand.
      let wide = NoisyMixture(prior, variance: 1e6, parts: .draws, pool: nil)
      let size = 128
      let picture = FloatBuffer(size * size)
      let places = stride(from: 0, to: size, by: 4).flatMap { row in
        stride(from: 0, to: size, by: 4).map { TilePlace(row: Int32(row), column: Int32($0)) }
      }
      let planes = Planes(picture, channels: 1, height: size, width: size)
      for start in stride(from: 0, to: places.count, by: TileWorker.capacity) {
        let block = places[start..<min(start + TileWorker.capacity, places.count)]
        worker.load(planes, at: block)
        worker.score(wide)
        worker.takeDrawn(wide, &stream)
        worker.draw(wide, &stream)
        for (tile, place) in block.enumerated() {
          for pixel in 0..<16 {
            let spot = (Int(place.row) + pixel / 4) * size + Int(place.column) + pixel % 4
            picture.pointer[spot] =
              worker.means.pointer[tile * 16 + pixel] + Float(sigma * stream.normal())
          }
        }
      }
      let pool = WorkerPool(threads: 2)
      let found = try #require(
        TileNoiseLevel.estimate(
          prior, planes, places: places, workers: (0..<2).map { _ in TileWorker(prior) }, pool: pool
        ))
      #expect(abs(found / sigma - 1) < 0.03)
    }
  }
}
