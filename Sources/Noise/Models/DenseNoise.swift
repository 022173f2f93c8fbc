import CLAPACK
import Foundation
import Maps
import Numerics

/// Noise with any covariance N = L Lᵀ of up to 4,096 data: exact for coloured noise under a mask and
/// for sums of noises. The factor costs D³/3 once; a lane costs 2 D².
public struct DenseNoise: NoiseModel {
  /// Above this many data the factor would take more than 128 MiB and a minute.
  public static let largestDimension = 4096

  public let dimension: Int
  /// L, D×D; column-major as LAPACK has it, so that element (i, j), i ≥ j, is at j·D + i. What lies
  /// above the diagonal is not used.
  package let factor: [Double]

  /// - Parameter covariance: D×D, row-major, intensity²; only its lower triangle is read.
  /// - Throws: `tooLarge` above 4,096 data; `unusable` when an element is not finite or the matrix
  ///   is not positive definite, naming the datum.
  /// - Precondition: D·D elements.
  public init(covariance: [Double], dimension: Int) throws(PlanError) {
    try self.init(covariance, dimension, name: "the noise covariance")
  }

  /// - Parameter name: of the covariance, for the messages.
  init(
    _ covariance: [Double], _ dimension: Int, name: String
  ) throws(PlanError) {
    try Self.checkDimension(dimension)
    precondition(covariance.count == dimension * dimension, "\(name): D×D elements")
    if let index = covariance.firstIndex(where: { !$0.isFinite }) {
      throw .unusable("element \(index) of \(name) is \(covariance[index])")
    }
    // A row-major lower triangle is a column-major upper one: factor UᵀU there, and store L = Uᵀ
    // column-major by transposing once.
    var upper = covariance
    let size = Int32(dimension)
    let status = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 0x55 /* U */, size, &upper, max(size, 1))
    guard status >= 0 else { throw .library("LAPACK dpotrf", "argument \(-status) is invalid") }
    // Rounding leaves a singular matrix with a last pivot of the order of D·2⁻⁵² of the diagonal.
    let collapsed = (0..<dimension).first { index in
      let pivot = upper[index * dimension + index]
      let floor = Double(dimension) * 0x1p-52 * covariance[index * dimension + index]
      return !(pivot * pivot > floor)
    }
    if let index = status > 0 ? Int(status) - 1 : collapsed {
      throw .unusable(
        "\(name) is singular or indefinite at datum \(index): given the data before it, its variance "
          + "is not positive; add independent noise")
    }
    self.dimension = dimension
    var lower = [Double](repeating: 0, count: dimension * dimension)
    for row in 0..<dimension {
      for column in 0...row {
        lower[column * dimension + row] = upper[row * dimension + column]
      }
    }
    factor = lower
  }

  package static func checkDimension(_ count: Int) throws(PlanError) {
    guard count <= largestDimension else {
      throw .tooLarge(
        "a dense covariance of \(count) data; at most \(largestDimension) are supported")
    }
  }

  /// ln det N = 2 Σ ln L_ii.
  public var logDeterminant: Double {
    var sum = 0.0
    for index in 0..<dimension { sum += 2 * log(factor[index * dimension + index]) }
    return sum
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    DenseNoisePlan(
      lanes: lanes, dimension: dimension, factor: factor, logDeterminant: logDeterminant)
  }
}

/// Lanes × D row-major is D × lanes column-major: the triangular solves take all lanes at once.
final class DenseNoisePlan: NoisePlan {
  private let lanes: Int
  private let dimension: Int
  private let factor: [Double]
  private let constant: Double
  private let work: UnsafeMutableBufferPointer<Double>

  init(lanes: Int, dimension: Int, factor: [Double], logDeterminant: Double) {
    self.lanes = lanes
    self.dimension = dimension
    self.factor = factor
    constant = -0.5 * logDeterminant - halfLogTwoPi * Double(dimension)
    work = .allocate(capacity: lanes * dimension)
    work.initialize(repeating: 0)
  }

  deinit { work.deallocate() }

  func evaluate(
    _ residuals: Span<Double>, logDensities: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    precondition(residuals.count == lanes * dimension && gradients.count == residuals.count)
    for index in residuals.indices { work[index] = residuals[index] }
    solve(transposed: false)
    for lane in 0..<lanes {
      var square = 0.0
      for index in lane * dimension..<(lane + 1) * dimension { square += work[index] * work[index] }
      logDensities[lane] = constant - 0.5 * square
    }
    solve(transposed: true)
    for index in gradients.indices { gradients[index] = -work[index] }
  }

  func whiten(_ residuals: Span<Double>, into white: inout MutableSpan<Double>) {
    precondition(residuals.count == lanes * dimension && white.count == residuals.count)
    for index in residuals.indices { work[index] = residuals[index] }
    solve(transposed: false)
    for index in white.indices { white[index] = work[index] }
  }

  func color(_ white: Span<Double>, into residuals: inout MutableSpan<Double>) {
    precondition(white.count == lanes * dimension && residuals.count == white.count)
    for lane in 0..<lanes {
      let start = lane * dimension
      for row in 0..<dimension { residuals[start + row] = 0 }
      for column in 0..<dimension {
        let amount = white[start + column]
        for row in column..<dimension {
          residuals[start + row] += factor[column * dimension + row] * amount
        }
      }
    }
  }

  /// work ← L⁻¹ work, or L⁻ᵀ work. Cannot fail: the diagonal of L is positive.
  private func solve(transposed: Bool) {
    let size = Int32(dimension)
    _ = LAPACKE_dtrtrs_work(
      LAPACK_COL_MAJOR, 0x4C /* L */, transposed ? 0x54 /* T */ : 0x4E /* N */, 0x4E /* N */, size,
      Int32(lanes), factor, max(size, 1), work.baseAddress, max(size, 1))
  }
}
