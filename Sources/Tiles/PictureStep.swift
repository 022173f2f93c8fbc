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

/// y = A x + n with any linear operator of the house and any Gaussian noise n ~ N(0, N):
/// (AᵀN⁻¹A + κ I) x = AᵀN⁻¹ y + κ z by conjugate gradients. A draw is the mode of perturbed data,
/// y + n′ and z + e/√κ with n′ ~ N(0, N), e ~ N(0, I) (Papandreou and Yuille, NIPS 2010): exact but for the
/// tolerance of the iterations.
final class OperatorStep: PictureStep {
  /// ‖residual‖ ≤ tolerance · ‖right-hand side‖: single precision carries no more than 1e-6.
  private static let tolerance = 1e-5
  private static let mostIterations = 200

  private let data: [Double]
  private let plan: any MapPlan
  private let noise: any NoisePlan
  private let count: Int
  private let observed: FloatBuffer
  private var misfits: [Double]
  private var pulls: [Double]
  private var logDensity = [0.0]
  private let right: FloatBuffer
  private let residual: FloatBuffer
  private let direction: FloatBuffer
  private let image: FloatBuffer
  private let target: FloatBuffer

  /// - Throws: what the operator's or the noise's plan throws.
  /// - Precondition: one datum for each element of the operator's codomain and of the noise.
  init(data: [Float], forward: any LinearOperator, noise: any NoiseModel) throws(PlanError) {
    precondition(data.count == forward.codomain.count && noise.dimension == data.count)
    self.data = data.map(Double.init)
    plan = try forward.makePlan(lanes: 1)
    self.noise = try noise.makePlan(lanes: 1)
    count = forward.domain.count
    observed = FloatBuffer(data.count)
    misfits = self.data
    pulls = self.data
    right = FloatBuffer(count)
    residual = FloatBuffer(count)
    direction = FloatBuffer(count)
    image = FloatBuffer(count)
    target = FloatBuffer(count)
  }

  func mode(around z: UnsafePointer<Float>, precision: Double, into x: UnsafeMutablePointer<Float>)
  {
    target.pointer.update(from: z, count: count)
    solve(data, precision, x)
  }

  func draw(
    around z: UnsafePointer<Float>, precision: Double, _ stream: inout RandomStream,
    into x: UnsafeMutablePointer<Float>
  ) {
    var perturbed = [Double](repeating: 0, count: data.count)
    var span = perturbed.mutableSpan
    noise.draw(&stream, into: &span)
    for index in data.indices { perturbed[index] += data[index] }
    let deviation = 1 / precision.squareRoot()
    for index in 0..<count { target.pointer[index] = z[index] + Float(deviation * stream.normal()) }
    solve(perturbed, precision, x)
  }

  func chiSquare(of x: UnsafePointer<Float>) -> Double {
    target.pointer.update(from: x, count: count)
    var seen = observed.buffer.mutableSpan
    plan.apply(target.buffer.span, into: &seen)
    for index in data.indices { misfits[index] = data[index] - Double(observed.pointer[index]) }
    weigh()
    var sum = 0.0
    for index in data.indices { sum += misfits[index] * pulls[index] }
    return sum
  }

  /// `pulls` ← N⁻¹ misfits.
  private func weigh() {
    var logs = logDensity.mutableSpan
    var span = pulls.mutableSpan
    noise.evaluate(misfits.span, logDensities: &logs, gradients: &span)
    for index in pulls.indices { pulls[index] = -pulls[index] }
  }

  /// output ← AᵀN⁻¹ misfits.
  private func pullBack(into output: FloatBuffer) {
    weigh()
    for index in pulls.indices { observed.pointer[index] = Float(pulls[index]) }
    var span = output.buffer.mutableSpan
    plan.vjp(observed.buffer.span, into: &span)
  }

  /// output ← (AᵀN⁻¹A + κ I) input.
  private func product(_ input: FloatBuffer, _ precision: Double, into output: FloatBuffer) {
    var seen = observed.buffer.mutableSpan
    plan.apply(input.buffer.span, into: &seen)
    for index in misfits.indices { misfits[index] = Double(observed.pointer[index]) }
    pullBack(into: output)
    for index in 0..<count { output.pointer[index] += Float(precision) * input.pointer[index] }
  }

  /// x ← the solution for these data and `target`, from `target` on.
  private func solve(_ y: [Double], _ precision: Double, _ x: UnsafeMutablePointer<Float>) {
    for index in misfits.indices { misfits[index] = y[index] }
    pullBack(into: right)
    for index in 0..<count { right.pointer[index] += Float(precision) * target.pointer[index] }
    let size = dot(right, right)
    product(target, precision, into: image)
    for index in 0..<count {
      x[index] = target.pointer[index]
      residual.pointer[index] = right.pointer[index] - image.pointer[index]
      direction.pointer[index] = residual.pointer[index]
    }
    var square = dot(residual, residual)
    var iterations = 0
    while square > Self.tolerance * Self.tolerance * size, iterations < Self.mostIterations {
      product(direction, precision, into: image)
      let curvature = dot(direction, image)
      guard curvature > 0 else { break }
      let step = Float(square / curvature)
      for index in 0..<count {
        x[index] += step * direction.pointer[index]
        residual.pointer[index] -= step * image.pointer[index]
      }
      let next = dot(residual, residual)
      let ratio = Float(next / square)
      square = next
      for index in 0..<count {
        direction.pointer[index] = residual.pointer[index] + ratio * direction.pointer[index]
      }
      iterations += 1
    }
  }

  private func dot(_ a: FloatBuffer, _ b: FloatBuffer) -> Double {
    var sum = 0.0
    for index in 0..<count { sum += Double(a.pointer[index]) * Double(b.pointer[index]) }
    return sum
  }
}
