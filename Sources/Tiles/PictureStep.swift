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
///
/// A censored datum stands for y*, which given z is N(z, 1/q + 1/κ), cut: a draw takes one of it, and the mode is
/// found by EM, y* replaced by its expectation given x.
final class PixelStep: PictureStep {
  private let data: [Float]
  private let precisions: [Float]
  private let censoring: Censoring?
  private let white: FloatBuffer
  /// The data, draws in place of the censored ones.
  private let completion: FloatBuffer
  /// Rounds of EM: each takes at least half of what is left.
  private static let rounds = 6

  /// - Precondition: as many data as precisions; a datum of precision 0 is finite, whatever it is. Censored data
  ///   have one precision.
  init(data: [Float], precisions: [Float], censoring: Censoring? = nil) {
    precondition(data.count == precisions.count)
    self.data = data
    self.censoring = censoring
    self.precisions = precisions
    white = FloatBuffer(data.count)
    completion = FloatBuffer(data)
  }

  /// For another thread.
  func copy() -> PixelStep {
    PixelStep(data: data, precisions: precisions, censoring: censoring)
  }

  func mode(around z: UnsafePointer<Float>, precision: Double, into x: UnsafeMutablePointer<Float>)
  {
    let tie = Float(precision)
    // `x` may be `z` itself: what is still needed of z is kept.
    let centres = white.pointer
    if censoring != nil { centres.update(from: z, count: data.count) }
    for index in data.indices {
      let own = precisions[index]
      x[index] = (own * data[index] + tie * z[index]) / (own + tie)
    }
    guard let censoring else { return }
    let own = precisions[censoring.first]
    for index in censoring.low + censoring.high { x[index] = centres[index] }
    for _ in 0..<Self.rounds {
      censoring.forEachExpectation(x, deviation: Double(1 / own.squareRoot())) { index, value in
        x[index] = (own * value + tie * centres[index]) / (own + tie)
      }
    }
  }

  func draw(
    around z: UnsafePointer<Float>, precision: Double, _ stream: inout RandomStream,
    into x: UnsafeMutablePointer<Float>
  ) {
    let tie = Float(precision)
    if let censoring {
      let own = precisions[censoring.first]
      let deviation = (1 / Double(own) + 1 / precision).squareRoot()
      let target = completion.pointer
      censoring.forEachDraw(z, deviation: deviation, &stream) { target[$0] = $1 }
    }
    stream.fillNormals(white.pointer, count: data.count)
    let values = completion.pointer
    for index in data.indices {
      let own = precisions[index]
      x[index] =
        (own * values[index] + tie * z[index]) / (own + tie)
        + white.pointer[index] / (own + tie).squareRoot()
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
