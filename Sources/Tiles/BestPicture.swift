import Foundation
import Tensors

/// The most probable picture under the data and the expected log likelihood of its tiles, by half-quadratic
/// splitting (Zoran and Weiss, "From learning models of natural image patches to whole image restoration",
/// ICCV 2011, equations 3 to 5): for rising κ, each tile's most probable value given the picture so far in
/// noise of variance 1/κ, then the picture given data and tiles.
struct BestPicture {
  /// κ of each iteration, 1/intensity².
  let precisions: [Double]
  /// Tiles at every so many rows and columns.
  let stride: Int

  /// The schedule for a picture that is seen directly in white noise: κ σ² = 1, 4, 8, 16, 32, the source's.
  static func denoising(sigma: Double, stride: Int) -> BestPicture {
    BestPicture(
      precisions: [1, 4, 8, 16, 32].map { $0 / (sigma * sigma) }, stride: stride)
  }

  /// Between the deviations `first` and `last` in `count` equal factors; for data that do not see each pixel.
  static func annealing(
    from first: Double, to last: Double, count: Int, stride: Int
  ) -> BestPicture {
    precondition(count > 1 && first > 0 && last > 0)
    return BestPicture(
      precisions: (0..<count).map {
        let deviation = first * pow(last / first, Double($0) / Double(count - 1))
        return 1 / (deviation * deviation)
      }, stride: stride)
  }

  /// `x`: C×H×W, the first guess on entry, the best picture on return.
  func improve(
    _ x: FloatBuffer, channels: Int, height: Int, width: Int, _ average: TileAverage,
    _ step: any PictureStep
  ) {
    let picture = Planes(x, channels: channels, height: height, width: width)
    for precision in precisions {
      let mixtures = average.mixtures(
        sigma: 1 / precision.squareRoot(), height: height, width: width, product: .step)
      let tiles = average.estimate(picture, mixtures, stride: stride, product: .step)
      step.mode(around: tiles.mean.pointer, precision: precision, into: x.pointer)
    }
  }
}
