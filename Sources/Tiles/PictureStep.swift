import Foundation
import Maps
import Noise
import Randomness
import Tensors

/// What the data say about the picture where the tiles say x ~ N(z, 1/κ): the Gaussian
/// ∝ p(y | x) exp(−½ κ ‖x − z‖²), its mode and its draws, exact. One owner, one thread at a time.
protocol PictureStep: AnyObject {
  /// `x` becomes the mode. `z`, `x`: C×H×W; `x` may hold a first guess on entry and may be `z` itself.
  func mode(around z: UnsafePointer<Float>, precision: Double, into x: UnsafeMutablePointer<Float>)
  /// `x` becomes a draw.
  func draw(
    around z: UnsafePointer<Float>, precision: Double, _ stream: inout RandomStream,
    into x: UnsafeMutablePointer<Float>)
  /// ‖W(y − A x)‖² with WᵀW the inverse of the noise covariance.
  func chiSquare(of x: UnsafePointer<Float>) -> Double
}

/// Each pixel seen on its own, in independent noise, or not at all:
/// x | y, z ~ N((q y + κ z)/(q + κ), 1/(q + κ)), q the precision of the datum, 0 where there is none.
final class PixelStep: PictureStep {
  private let data: [Float]
  private let precisions: [Float]

  /// - Precondition: as many data as precisions; a datum of precision 0 is finite, whatever it is.
  init(data: [Float], precisions: [Float]) {
    precondition(data.count == precisions.count)
    self.data = data
    self.precisions = precisions
  }

  func mode(around z: UnsafePointer<Float>, precision: Double, into x: UnsafeMutablePointer<Float>)
  {
    let tie = Float(precision)
    for index in data.indices {
      let own = precisions[index]
      x[index] = (own * data[index] + tie * z[index]) / (own + tie)
    }
  }

  func draw(
    around z: UnsafePointer<Float>, precision: Double, _ stream: inout RandomStream,
    into x: UnsafeMutablePointer<Float>
  ) {
    mode(around: z, precision: precision, into: x)
    let tie = Float(precision)
    for index in data.indices {
      x[index] += Float(stream.normal()) / (precisions[index] + tie).squareRoot()
    }
  }

  func chiSquare(of x: UnsafePointer<Float>) -> Double {
    var sum = 0.0
    for index in data.indices {
      let misfit = Double(data[index] - x[index])
      sum += Double(precisions[index]) * misfit * misfit
    }
    return sum
  }
}
