import Diagnostics
import ImageFiles
import Randomness

/// Of an autoencoder, over pictures, with bootstrap standard errors.
public struct ReconstructionError: Sendable {
  /// Mean squared error per pixel.
  public let mean: Double
  /// Of 68 and 95 % of the pictures it is below these.
  public let p68: Double
  public let p95: Double
  /// Standard errors of the three.
  public let errors: [Double]

  /// - Parameter pictureErrors: the mean squared error of each picture, at least one.
  package init(_ pictureErrors: [Double], key: RandomKey) {
    let sorted = pictureErrors.sorted()
    func statistics(_ multiplicities: [Int]) -> [Double] {
      var sum = 0.0
      var quantiles: [Double] = []
      var below = 0
      let shares = [0.68, 0.95].map { $0 * Double(sorted.count) }
      for (value, times) in zip(sorted, multiplicities) {
        sum += Double(times) * value
        below += times
        while quantiles.count < 2, Double(below) > shares[quantiles.count] {
          quantiles.append(value)
        }
      }
      return [sum / Double(sorted.count)] + quantiles
    }
    let values = statistics([Int](repeating: 1, count: sorted.count))
    (mean, p68, p95) = (values[0], values[1], values[2])
    errors = Bootstrap.standardErrors(count: sorted.count, key: key, statistics: statistics)
  }

  package var json: JSONText {
    .object([
      ("mse", .number(mean)), ("mse_error", .number(errors[0])), ("p68", .number(p68)),
      ("p68_error", .number(errors[1])), ("p95", .number(p95)), ("p95_error", .number(errors[2])),
    ])
  }
}
