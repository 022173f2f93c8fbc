import CLAPACK
import Foundation
import Maps
import Randomness
import Tensors

// Notation
//   A    forward operator on the observed data, D×P     Σ  residual covariance, P×P
//   S    A Σ Aᵀ + diag r, D×D                           N₀ noise covariance at level 1, D×D
//   V    D×D with Vᵀ N₀ V = I and Vᵀ S V = diag λ       M  Vᵀ A, D×P
//
//   ln N(y − A g; 0, S + σ²N₀) = Σ_d ln N((Vᵀy − M g)_d; 0, λ_d + σ²) − ½ ln det N₀

/// A measurement turned so that its data are independent: the generalized eigenvectors V of (S, N₀)
/// make every total covariance S + σ²N₀ diagonal at once, so that one level of the noise costs what any
/// other does, and a likelihood of any linear instrument under any coloured, masked noise with any
/// residual becomes that of independent data after one matrix product. Exact; nothing in it depends
/// on the picture.
///
/// Up to `DenseNoise.largestDimension` data. Made once: about 10 D³ multiplications for V (half a
/// second at 784 data) or, where σ is known and the data many, a third of that for a Cholesky factor.
public struct DiagonalizedMeasurement: Sendable {
  public let measurement: GaussianMeasurement
  /// D.
  public var count: Int { variances.count }
  /// Vᵀ, D×D row-major.
  package let rotation: [Double]
  /// M, D×P row-major.
  package let matrix: [Double]
  /// λ ≥ 0, D; intensity² at the scale of N₀.
  package let variances: [Double]
  /// ln|det Vᵀ| = −½ ln det N₀: adds to ln p(Vᵀy) for ln p(y).
  package let logVolume: Double
  /// σ when it is known and already part of λ: then the level to evaluate at is 0.
  package let includedSigma: Double?

  /// Above this many data a known σ is worth a factorization of its own.
  private static let largestSpectral = 1500

  /// - Parameter sigma: σ when it is known, which is quicker with many data.
  /// - Throws: `tooLarge` above `DenseNoise.largestDimension` data; `unusable` when a covariance is
  ///   singular, saying which.
  /// - Precondition: a known σ is not negative.
  public init(_ measurement: GaussianMeasurement, sigma: Double? = nil) throws(PlanError) {
    try self.init(measurement, sigma: sigma, largestSpectral: Self.largestSpectral)
  }

  init(
    _ measurement: GaussianMeasurement, sigma: Double?, largestSpectral: Int
  ) throws(PlanError) {
    self.measurement = measurement
    let seen = measurement.observedIndices
    try DenseNoise.checkDimension(seen.count)
    let direct = try measurement.matrix()
    var fixed = Self.residualCovariance(direct, measurement.residual, count: seen.count)
    for (row, element) in seen.enumerated() {
      fixed[row * (seen.count + 1)] += Double(measurement.fixedVariances[element])
    }
    let noise =
      measurement.noise.isWhite
      ? nil
      : try measurement.noise.covariance(of: seen, shape: measurement.forwardOperator.codomain)
    if let sigma, seen.count > largestSpectral {
      let squared = sigma * sigma
      if let noise {
        for index in fixed.indices { fixed[index] += squared * noise[index] }
      } else {
        for row in seen.indices { fixed[row * (seen.count + 1)] += squared }
      }
      (rotation, logVolume) = try Self.whitening(of: fixed, count: seen.count)
      variances = [Double](repeating: 1, count: seen.count)
      includedSigma = sigma
    } else {
      (rotation, variances, logVolume) = try Self.diagonalize(fixed, noise, count: seen.count)
      includedSigma = nil
    }
    matrix = product(rotation, direct, seen.count, seen.count, direct.count / seen.count)
  }

  /// Vᵀ y of the observed elements of `data` (the operator's codomain).
  /// - Precondition: one value for each element of the codomain.
  package func rotate(_ data: [Double]) -> [Double] {
    precondition(data.count == measurement.observed.count)
    let seen = measurement.observedIndices.map { data[$0] }
    return product(rotation, seen, count, count, 1)
  }

  /// The turned data as independent ones: to be evaluated at level σ, or 0 where λ includes it.
  package func pixelData(_ data: [Float]) -> PixelData {
    PixelData(
      values: rotate(data.map { Double($0) }).map { Float($0) },
      kinds: [PixelKind](repeating: .measured, count: count),
      extraVariances: variances.map { Float($0) })
  }

  /// One draw of Vᵀ n at level σ: noise of the grid, its observed elements, and the fixed variances.
  package func drawNoise(sigma: Double, stream: inout RandomStream) -> [Double] {
    let shape = measurement.forwardOperator.codomain
    // Checked when the measurement was described.
    var noise =
      (try? measurement.noise.draw(shape: shape, stream: &stream))
      ?? [Double](repeating: 0, count: shape.count)
    let own = stream.normals(noise.count)
    for index in noise.indices {
      let fixed = Double(measurement.fixedVariances[index]).squareRoot()
      noise[index] = sigma * noise[index] + fixed * own[index]
    }
    return rotate(noise)
  }

  /// A Σ Aᵀ, D×D.
  private static func residualCovariance(
    _ direct: [Double], _ residual: ResidualCovariance, count: Int
  ) -> [Double] {
    let pixels = residual.count
    var scaled = direct
    for index in scaled.indices {
      scaled[index] *= Double(residual.variances[index % pixels]).squareRoot()
    }
    var result = productTransposed(scaled, scaled, count, pixels, count)
    guard residual.rank > 0 else { return result }
    let factors = residual.factors.map { Double($0) }
    let painted = productTransposed(direct, factors, count, pixels, residual.rank)
    let common = productTransposed(painted, painted, count, residual.rank, count)
    for index in result.indices { result[index] += common[index] }
    return result
  }

  /// Vᵀ, λ and −½ ln det N₀; `noise` nil stands for I.
  private static func diagonalize(
    _ fixed: [Double], _ noise: [Double]?, count: Int
  ) throws(PlanError) -> ([Double], [Double], Double) {
    let size = Int32(count)
    // Symmetric matrices read the same row- and column-major; eigenvectors come as columns of a
    // column-major matrix, which are the rows of Vᵀ.
    var vectors = fixed
    var values = [Double](repeating: 0, count: count)
    let (job, triangle) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")))
    guard var noise else {
      let status = LAPACKE_dsyevd(
        LAPACK_COL_MAJOR, job, triangle, size, &vectors, size, &values)
      guard status == 0 else { throw .library("LAPACK dsyevd", "status \(status)") }
      return (vectors, values.map { max(0, $0) }, 0)
    }
    let diagonal = (0..<count).map { noise[$0 * (count + 1)] }
    let status = LAPACKE_dsygvd(
      LAPACK_COL_MAJOR, 1, job, triangle, size, &vectors, size, &noise, size, &values)
    let collapsed = (0..<count).first { index in
      let pivot = noise[index * (count + 1)]
      return !(pivot * pivot > Double(count) * 0x1p-52 * diagonal[index])
    }
    if let index = status > count ? Int(status) - count - 1 : collapsed {
      throw .unusable(
        "the noise covariance is singular at observed datum \(index): given the data before it, its "
          + "variance is not positive; add white noise")
    }
    guard status == 0 else { throw .library("LAPACK dsygvd", "status \(status)") }
    let logRoot = (0..<count).reduce(0) { $0 + log(noise[$1 * (count + 1)]) }
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

/// A B of an n×m and an m×k matrix, row-major.
func product(_ a: [Double], _ b: [Double], _ n: Int, _ m: Int, _ k: Int) -> [Double] {
  var c = [Double](repeating: 0, count: n * k)
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(n), Int32(k), Int32(m), 1, a, Int32(m), b,
    Int32(k), 0, &c, Int32(k))
  return c
}

/// A Bᵀ of an n×m and a k×m matrix, row-major.
func productTransposed(_ a: [Double], _ b: [Double], _ n: Int, _ m: Int, _ k: Int) -> [Double] {
  var c = [Double](repeating: 0, count: n * k)
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasTrans, Int32(n), Int32(k), Int32(m), 1, a, Int32(m), b,
    Int32(m), 0, &c, Int32(k))
  return c
}
