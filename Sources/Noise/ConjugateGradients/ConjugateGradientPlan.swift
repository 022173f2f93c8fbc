import Foundation
import Maps
import Numerics
import Randomness

/// N⁻¹r by conjugate gradients with the preconditioner SᵀS ≈ N⁻¹ of `WhiteningMap`; lanes one after
/// another. An iteration costs two Fourier transforms of each grid and one pass over the factor.
///
/// What cannot be thrown is reported: `iterations` and `relativeResidual`.
public final class ConjugateGradientPlan: NoisePlan {
  /// The most iterations that a lane of the latest `evaluate` took.
  public private(set) var iterations = 0
  /// The largest ‖S(r − N x)‖/‖S r‖ that a lane of the latest `evaluate` was left with; above the
  /// tolerance when the iterations were not enough.
  public private(set) var relativeResidual = 0.0

  private let lanes: Int
  private let dimension: Int
  private let covariance: WhitenedCovariance
  private let lanczos: Lanczos
  private let settings: ConjugateGradients
  /// −½ ln det N − D/2 ln 2π.
  private let constant: Double
  /// x, r − N x, SᵀS(r − N x), the direction p, N p.
  private let solution: Scratch
  private let residual: Scratch
  private let preconditioned: Scratch
  private let direction: Scratch
  private let image: Scratch

  init(
    lanes: Int, covariance: WhitenedCovariance, logDeterminant: Double,
    settings: ConjugateGradients
  ) {
    self.lanes = lanes
    self.covariance = covariance
    self.settings = settings
    dimension = covariance.map.dimension
    lanczos = Lanczos(covariance, limit: IterativeNoise.lanczosLimit)
    constant = -0.5 * logDeterminant - halfLogTwoPi * Double(dimension)
    solution = Scratch(dimension)
    residual = Scratch(dimension)
    preconditioned = Scratch(dimension)
    direction = Scratch(dimension)
    image = Scratch(dimension)
  }

  public func evaluate(
    _ residuals: Span<Double>, logDensities: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    precondition(residuals.count == lanes * dimension && gradients.count == residuals.count)
    precondition(logDensities.count == lanes)
    iterations = 0
    relativeResidual = 0
    for lane in 0..<lanes {
      let start = lane * dimension
      for index in 0..<dimension { residual.pointer[index] = residuals[start + index] }
      solve()
      // The Galerkin property: bᵀx errs by the square of the error of x in the norm of N.
      var form = 0.0
      for index in 0..<dimension {
        form += residuals[start + index] * solution.pointer[index]
        gradients[start + index] = -solution.pointer[index]
      }
      logDensities[lane] = constant - 0.5 * form
    }
  }

  public func whiten(_ residuals: Span<Double>, into white: inout MutableSpan<Double>) {
    precondition(residuals.count == lanes * dimension && white.count == residuals.count)
    for lane in 0..<lanes {
      let start = lane * dimension
      for index in 0..<dimension { residual.pointer[index] = residuals[start + index] }
      // W = B^(−½) S: WᵀW = Sᵀ B⁻¹ S = N⁻¹.
      covariance.map.apply(residual.pointer, into: direction.pointer)
      lanczos.apply({ 1 / $0.squareRoot() }, to: direction.pointer, into: image.pointer)
      for index in 0..<dimension { white[start + index] = image.pointer[index] }
    }
  }

  public func color(_ white: Span<Double>, into residuals: inout MutableSpan<Double>) {
    precondition(white.count == lanes * dimension && residuals.count == white.count)
    for lane in 0..<lanes {
      let start = lane * dimension
      for index in 0..<dimension { direction.pointer[index] = white[start + index] }
      lanczos.apply({ $0.squareRoot() }, to: direction.pointer, into: image.pointer)
      covariance.map.solve(image.pointer, into: residual.pointer)
      for index in 0..<dimension { residuals[start + index] = residual.pointer[index] }
    }
  }

  /// Each part drawn on its own, the stationary ones on their whole grids: no iterations.
  public func draw(_ stream: inout RandomStream, into residuals: inout MutableSpan<Double>) {
    precondition(residuals.count == lanes * dimension)
    for lane in 0..<lanes {
      covariance.product.draw(&stream, into: image.pointer)
      for index in 0..<dimension { residuals[lane * dimension + index] = image.pointer[index] }
    }
  }

  /// solution ≈ N⁻¹ residual; `residual` becomes what is left.
  private func solve() {
    let (x, r, z) = (solution.pointer, residual.pointer, preconditioned.pointer)
    let (p, q) = (direction.pointer, image.pointer)
    x.update(repeating: 0, count: dimension)
    // rᵀSᵀS r = ‖S r‖².
    var square = covariance.map.applyNormal(r, into: z, scratch: q)
    let first = square
    guard first > 0 else { return }
    p.update(from: z, count: dimension)
    var count = 0
    while count < settings.maximumIterations {
      covariance.product.apply(p, into: q)
      let curvature = VectorKernels.dot(p, q, dimension)
      // Only rounding makes it so; going on would make matters worse.
      guard curvature > 0 else { break }
      let step = square / curvature
      VectorKernels.add(step, p, to: x, dimension)
      VectorKernels.add(-step, q, to: r, dimension)
      let next = covariance.map.applyNormal(r, into: z, scratch: q)
      count += 1
      let ratio = next / square
      square = next
      if square <= settings.tolerance * settings.tolerance * first { break }
      VectorKernels.replace(p, byScaling: ratio, adding: z, dimension)
    }
    iterations = max(iterations, count)
    relativeResidual = max(relativeResidual, (square / first).squareRoot())
  }
}
