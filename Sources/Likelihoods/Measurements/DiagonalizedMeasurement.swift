import Numerics
import CLAPACK
import Foundation
import Maps
import Noise
import Randomness
import Tensors

// Notation
//   A    forward operator on the observed data, D×P     Σ  residual covariance, P×P
//   S    A Σ Aᵀ, D×D                                    N₀ noise covariance at level 1, D×D
//   V    D×D with Vᵀ N V = I and Vᵀ S V = diag λ        M  Vᵀ A, D×P
//
//   σ known:    N = σ²N₀ + diag r,
//               ln N(y − A g; 0, α²S + N) = Σ_d ln N((Vᵀy − M g)_d; 0, α²λ_d + 1) − ½ ln det N
//   σ inferred: N = N₀ + diag r/σ₁², σ₁ a first guess of σ,
//               ln N(y − A g; 0, α²S + σ²N) = Σ_d ln N((Vᵀy − M g)_d; 0, α²λ_d + σ²) − ½ ln det N

/// A measurement turned so that its data are independent: the generalized eigenvectors V of (S, N)
/// make every total covariance α²S + σ²N diagonal at once, so that one level costs what any other does,
/// and a likelihood of any linear instrument under any coloured, masked noise with any residual becomes
/// that of independent data after one matrix product. Nothing in it depends on the picture. Exact where
/// σ is known; where it is inferred, r scales with σ² as if it were part of the noise: right at σ₁, and r
/// is rounding, a ten-thousandth of σ².
///
/// Up to `DenseNoise.largestDimension` data. Made once: about 10 D³ multiplications for V (half a
/// second at 784 data) or, where both levels are known and the data many, a third of that for a Cholesky
/// factor of the sum.
public struct DiagonalizedMeasurement: Sendable {
  public let measurement: GaussianMeasurement
  /// D.
  public var count: Int { variances.count }
  /// Vᵀ, D×D row-major.
  package let rotation: [Double]
  /// M, D×P row-major.
  package let matrix: [Double]
  /// λ ≥ 0, D; at the scale of N.
  package let variances: [Double]
  /// ln|det Vᵀ| = −½ ln det N: adds to ln p(Vᵀy) for ln p(y).
  package let logVolume: Double
  /// σ when it is known and part of N: then the level to evaluate at is 1.
  package let includedSigma: Double?
  /// Whether the residual is apart from N, in λ, or there is none.
  package let isResidualApart: Bool

  /// Above this many data, levels that are known are worth a factorization of their own.
  private static let largestSpectral = 1500

  /// - Parameters:
  ///   - level: σ, known or a first guess of it.
  ///   - isScaleInferred: whether α is to vary; else it is 1.
  /// - Throws: `tooLarge` above `DenseNoise.largestDimension` data; `unusable` when a covariance is
  ///   singular, saying which.
  /// - Precondition: σ is not negative; a first guess is positive.
  public init(
    _ measurement: GaussianMeasurement, level: Level, isScaleInferred: Bool
  ) throws(PlanError) {
    try self.init(
      measurement, level: level, isScaleInferred: isScaleInferred,
      largestSpectral: Self.largestSpectral)
  }

  /// What is known of σ.
  public enum Level: Sendable, Equatable {
    case known(Double)
    case inferred(firstGuess: Double)
  }

  init(
    _ measurement: GaussianMeasurement, level: Level, isScaleInferred: Bool, largestSpectral: Int
  ) throws(PlanError) {
    self.measurement = measurement
    let seen = measurement.observedIndices
    try DenseNoise.checkDimension(seen.count)
    let direct = try measurement.matrix()
    let (pixels, covariance) = (measurement.residual.count, measurement.residual)
    let rank = covariance.rank
    // A f, D×R.
    let painted =
      rank == 0
      ? []
      : matrixProductTransposed(
        direct, covariance.factors.map { Double($0) }, rows: seen.count, inner: pixels,
        columns: rank)
    let residual = try covariance.seen(
      dimension: seen.count,
      element: { pixel in seen.indices.map { direct[$0 * pixels + pixel] } },
      factor: { factor in seen.indices.map { painted[$0 * rank + factor] } })
    var noise = try measurement.noise.covariance(
      of: seen, shape: measurement.forwardOperator.codomain)
    let (factor, share): (Double, Double)
    switch level {
    case .known(let sigma): (factor, share, includedSigma) = (sigma * sigma, 1, sigma)
    case .inferred(let guess):
      (factor, share, includedSigma) = (1, 1 / (guess * guess), nil)
    }
    for index in noise.indices { noise[index] *= factor }
    for (row, element) in seen.enumerated() {
      noise[row * (seen.count + 1)] += share * Double(measurement.fixedVariances[element])
    }
    // Then N stands for the sum, and λ = 0.
    let includesResidual =
      includedSigma != nil && !isScaleInferred && seen.count > largestSpectral
    isResidualApart = !includesResidual || !residual.contains { $0 != 0 }
    if includesResidual {
      for index in noise.indices { noise[index] += residual[index] }
      (rotation, logVolume) = try Self.whitening(of: noise, count: seen.count)
      variances = [Double](repeating: 0, count: seen.count)
    } else {
      (rotation, variances, logVolume) = try Self.diagonalize(
        residual, noise, count: seen.count)
    }
    matrix = matrixProduct(rotation, direct, rows: seen.count, inner: seen.count, columns: pixels)
  }

  /// Vᵀ y of the observed elements of `data` (the operator's codomain).
  /// - Precondition: one value for each element of the codomain.
  package func rotate(_ data: [Double]) -> [Double] {
    precondition(data.count == measurement.observed.count)
    let seen = measurement.observedIndices.map { data[$0] }
    return matrixProduct(rotation, seen, rows: count, inner: count, columns: 1)
  }

  /// The turned data as independent ones, to be evaluated at `level(of:)`.
  package func pixelData(_ data: [Float]) -> PixelData {
    PixelData(
      values: rotate(data.map { Double($0) }).map { Float($0) },
      kinds: [PixelKind](repeating: .measured, count: count),
      extraVariances: [Float](repeating: 0, count: count),
      residualVariances: variances.map { Float($0) })
  }

  /// The level at which the turned data are evaluated where σ is the data's.
  package func level(of sigma: Double) -> Double { includedSigma == nil ? sigma : 1 }

  /// One draw of Vᵀ n at the data's σ: noise of the grid, its observed elements, and the fixed variances.
  package func drawNoise(sigma: Double, stream: inout RandomStream) -> [Double] {
    rotate(measurement.drawNoise(sigma: sigma, stream: &stream))
  }

  /// Vᵀ, λ and −½ ln det N from the lower triangles, row-major, of S and N.
  private static func diagonalize(
    _ residual: [Double], _ noise: [Double], count: Int
  ) throws(PlanError) -> ([Double], [Double], Double) {
    let size = Int32(count)
    // A row-major lower triangle is a column-major upper one; eigenvectors come as columns of a
    // column-major matrix, which are the rows of Vᵀ.
    var vectors = residual
    var factor = noise
    var values = [Double](repeating: 0, count: count)
    let status = LAPACKE_dsygvd(
      LAPACK_COL_MAJOR, 1, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), size, &vectors,
      size, &factor, size, &values)
    let collapsed = (0..<count).first { index in
      let pivot = factor[index * (count + 1)]
      return !(pivot * pivot > Double(count) * 0x1p-52 * noise[index * (count + 1)])
    }
    if let index = status > count ? Int(status) - count - 1 : collapsed {
      throw .unusable(
        "the noise covariance is singular at observed datum \(index): given the data before it, its "
          + "variance is not positive; add white noise")
    }
    guard status == 0 else { throw .library("LAPACK dsygvd", "status \(status)") }
    let logRoot = (0..<count).reduce(0) { $0 + log(factor[$1 * (count + 1)]) }
    return (vectors, values.map { max(0, $0) }, -logRoot)
  }

  /// L⁻¹ and −½ ln det of a covariance L Lᵀ.
  private static func whitening(
    of covariance: [Double], count: Int
  ) throws(PlanError) -> ([Double], Double) {
    let factor = try DenseNoise(covariance: covariance, dimension: count).factor
    var inverse = factor
    let size = Int32(count)
    let status = LAPACKE_dtrtri(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), CChar(UInt8(ascii: "N")), size, &inverse, size)
    guard status == 0 else { throw .library("LAPACK dtrtri", "status \(status)") }
    var rows = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0...row { rows[row * count + column] = inverse[column * count + row] }
    }
    return (rows, -(0..<count).reduce(0) { $0 + log(factor[$1 * (count + 1)]) })
  }
}
