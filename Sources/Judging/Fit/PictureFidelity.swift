import Foundation
import Tensors

/// How near a picture is to the truth; intensities of [0, 1].
public enum PictureFidelity {
  /// 10 log₁₀(1 / MSE) in decibels; infinite when they are equal.
  public static func peakSignalToNoise(_ picture: Tensor, truth: Tensor) -> Double {
    precondition(picture.shape == truth.shape)
    let squares = zip(picture.values, truth.values).map { pair -> Double in
      let difference = Double(pair.0) - Double(pair.1)
      return difference * difference
    }
    return -10 * log10(accurateSum(squares) / Double(squares.count))
  }

  /// Mean structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004, eq. 13): Gaussian window of
  /// deviation 1.5 cut at 11×11 and renormalized at the border, K₁ = 0.01, K₂ = 0.03, range 1;
  /// averaged over pixels and channels.
  public static func structuralSimilarity(_ picture: Tensor, truth: Tensor) -> Double {
    precondition(picture.shape == truth.shape && picture.shape.rank == 3)
    let (channels, height, width) = (picture.shape[0], picture.shape[1], picture.shape[2])
    let pixels = height * width
    let (c1, c2) = (1e-4, 9e-4)
    var total = 0.0
    for channel in 0..<channels {
      let x = picture.values[channel * pixels..<(channel + 1) * pixels].map(Double.init)
      let y = truth.values[channel * pixels..<(channel + 1) * pixels].map(Double.init)
      func blurred(_ values: [Double]) -> [Double] { blur(values, height: height, width: width) }
      let (mx, my) = (blurred(x), blurred(y))
      let (xx, yy) = (blurred(zip(x, x).map(*)), blurred(zip(y, y).map(*)))
      let xy = blurred(zip(x, y).map(*))
      for i in 0..<pixels {
        let (vx, vy) = (xx[i] - mx[i] * mx[i], yy[i] - my[i] * my[i])
        let covariance = xy[i] - mx[i] * my[i]
        total +=
          (2 * mx[i] * my[i] + c1) * (2 * covariance + c2)
          / ((mx[i] * mx[i] + my[i] * my[i] + c1) * (vx + vy + c2))
      }
    }
    return total / Double(channels * pixels)
  }

  /// Separable Gaussian average over the part of the window inside the picture.
  private static func blur(_ values: [Double], height: Int, width: Int) -> [Double] {
    let weights = (-5...5).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    func pass(_ input: [Double], _ outer: Int, _ inner: Int, _ stride: Int, _ jump: Int) -> [Double]
    {
      var output = input
      for row in 0..<outer {
        for column in 0..<inner {
          var (sum, norm) = (0.0, 0.0)
          for offset in max(-5, -column)...min(5, inner - 1 - column) {
            sum += weights[offset + 5] * input[row * jump + (column + offset) * stride]
            norm += weights[offset + 5]
          }
          output[row * jump + column * stride] = sum / norm
        }
      }
      return output
    }
    let horizontal = pass(values, height, width, 1, width)
    return pass(horizontal, width, height, width, 1)
  }

  /// Share of elements whose truth lies between the 5 % and the 95 % quantile of the draws.
  public static func coverage90(_ draws: [Tensor], truth: Tensor) -> Double {
    precondition(draws.count >= 20 && draws.allSatisfy { $0.shape == truth.shape })
    var inside = 0
    for index in truth.values.indices {
      let sorted = draws.map { $0.values[index] }.sorted()
      let low = sorted[Int((0.05 * Double(sorted.count)).rounded(.down))]
      let high = sorted[Int((0.95 * Double(sorted.count)).rounded(.up)) - 1]
      if truth.values[index] >= low && truth.values[index] <= high { inside += 1 }
    }
    return Double(inside) / Double(truth.count)
  }
}
