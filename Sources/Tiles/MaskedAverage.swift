import Foundation
import Tensors
import Workers

/// The average of `TileAverage.Product.mean` for pixels in independent noise of any level, or not seen: every
/// tile's posterior under a `PixelMixture`.
struct MaskedAverage {
  let mixture: PixelMixture
  let pool: WorkerPool

  /// - Parameters:
  ///   - values: C×H×W; what is not seen is not looked at.
  ///   - variances: of the noise; infinite where nothing is seen.
  ///   - wanted: only tiles that cover one of these elements are solved; nil for all.
  /// - Returns: where no tile was solved, the variance is infinite and the mean 0.
  func estimate(
    _ values: [Float], variances: [Float], shape: Shape, stride: Int, wanted: [Bool]? = nil
  ) -> TileEstimate {
    let side = mixture.prior.side
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let pattern = TilePattern(height: height, width: width, side: side, stride: stride)
    let estimate = TileEstimate(count: shape.count)
    let counts = FloatBuffer(shape.count)
    let threads = pool.threads
    let workers = (0..<threads).map { _ in PixelMixtureWorker(mixture) }
    let band = 4 * side
    let bands = (height + band - 1) / band
    // As in `TileAverage`: bands of one parity share no pixel.
    for parity in 0..<2 {
      let items = Array(Swift.stride(from: parity, to: bands, by: 2))
      pool.run(threads) { thread in
        for item in Swift.stride(from: thread, to: items.count, by: threads) {
          let first = items[item] * band
          for place in pattern.places(rows: first..<first + band) {
            let worker = workers[thread]
            var elements: [Int] = []
            elements.reserveCapacity(channels * side * side)
            for channel in 0..<channels {
              for row in 0..<side {
                let start = (channel * height + Int(place.row) + row) * width + Int(place.column)
                elements += start..<start + side
              }
            }
            if let wanted, !elements.contains(where: { wanted[$0] }) { continue }
            let seen = elements.indices.filter { variances[elements[$0]].isFinite }
            worker.solve(
              seen: seen, values: seen.map { values[elements[$0]] },
              noise: seen.map { variances[elements[$0]] })
            for (pixel, element) in elements.enumerated() {
              let weight = 1 / worker.variance.pointer[pixel]
              estimate.mean.pointer[element] += weight * worker.mean.pointer[pixel]
              estimate.variance.pointer[element] += weight
              counts.pointer[element] += 1
            }
          }
        }
      }
    }
    for index in 0..<shape.count {
      let weight = estimate.variance.pointer[index]
      estimate.mean.pointer[index] = weight > 0 ? estimate.mean.pointer[index] / weight : 0
      estimate.variance.pointer[index] = weight > 0 ? counts.pointer[index] / weight : .infinity
    }
    return estimate
  }
}
