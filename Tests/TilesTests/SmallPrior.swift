import Foundation
import Randomness
import Tensors
import Workers

@testable import Tiles

/// Priors small enough to be checked by hand: tiles of `side`, orthonormal codes from random directions.
enum SmallPrior {
  /// - Parameters:
  ///   - spread: the standard deviation of the codes, about.
  ///   - rank: directions of a component that are wide; all, or those and a floor of 1e-6.
  static func make(
    side: Int = 2, channels: Int = 1, latent: Int? = nil, components: Int = 2, spread: Double = 0.3,
    residual: Double = 0, shift: Double = 0, rank: Int? = nil, seed: UInt64 = 11
  ) throws -> TilePrior {
    let area = side * side
    let count = channels * area
    let size = latent ?? count - channels
    var stream = RandomKey(seed: seed).stream()
    // Gram and Schmidt on random rows, after the channels' constants.
    var rows: [[Double]] = (0..<channels).map { channel in
      (0..<count).map { $0 / area == channel ? 1 / Double(area).squareRoot() : 0 }
    }
    while rows.count < channels + size {
      var row = stream.normals(count)
      for other in rows {
        let along = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
        for index in row.indices { row[index] -= along * other[index] }
      }
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      rows.append(row.map { $0 / length })
    }
    var covariances: [Float] = []
    var means: [Float] = []
    for component in 0..<components {
      let scale = spread * Double(component + 1)
      let factor = (0..<size * size).map { _ in scale * stream.normal() / Double(size).squareRoot()
      }
      for row in 0..<size {
        for column in row..<size {
          var sum = row == column ? (rank == nil ? 0.05 * scale * scale : 1e-6) : 0
          for index in 0..<size {
            sum += factor[row * size + index] * factor[column * size + index]
          }
          covariances.append(Float(sum))
        }
      }
      means += (0..<size).map { _ in Float(shift * stream.normal()) }
    }
    return try TilePrior(
      name: "small", channels: channels, side: side,
      basis: rows.dropFirst(channels).flatMap { $0.map(Float.init) }, residualVariance: residual,
      density: GaussianMixtureDensity(
        dimension: size, weights: (0..<components).map { Double($0 + 1) }, means: means,
        covariances: covariances))
  }

  /// A picture of smooth hills and a step, C×H×W.
  static func picture(channels: Int = 1, height: Int, width: Int) -> Tensor {
    Tensor(
      shape: Shape(channels, height, width),
      values: (0..<channels * height * width).map { index in
        let (row, column) = (index / width % height, index % width)
        let wave =
          sin(0.31 * Double(row)) * cos(0.23 * Double(column + 7 * (index / (height * width))))
        return Float(0.5 + 0.2 * wave + (column > width / 2 ? 0.15 : 0))
      })
  }

  static func noisy(_ picture: Tensor, sigma: Double, seed: UInt64) -> Tensor {
    var stream = RandomKey(seed: seed).stream()
    return Tensor(
      shape: picture.shape, values: picture.values.map { $0 + Float(sigma * stream.normal()) })
  }

  static func planes(_ picture: Tensor) -> Planes {
    Planes(
      FloatBuffer(picture.values), channels: picture.shape[0], height: picture.shape[1],
      width: picture.shape[2])
  }
}
