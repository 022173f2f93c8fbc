import CLAPACK
import Foundation
import Numerics

/// N(m, S) fitted to codes by maximum likelihood, m = mean, S = (1/n) Σ (z − m)(z − m)ᵀ: what a
/// flow has to beat. All in Double.
public struct FittedGaussian: Sendable {
  public let dimension: Int
  /// m, length K.
  public let mean: [Double]
  /// C with S = C Cᵀ: lower triangular, row-major [K, K], zeros above.
  public let factor: [Double]

  /// Cost O(n K² + K³). `codes`: n × K, row-major.
  /// - Throws: `FlowError.codes` when a code is not finite or S is not positive definite, as with
  ///   n ≤ K or a coordinate that never varies.
  public init(codes: [Float], dimension: Int) throws(FlowError) {
    guard dimension >= 1, !codes.isEmpty, codes.count % dimension == 0 else {
      throw .codes("\(codes.count) numbers are no rows of \(dimension)")
    }
    guard codes.allSatisfy(\.isFinite) else { throw .codes("one is not finite") }
    let (mean, covariance) = moments(codes, dimension: dimension)
    var factor = covariance
    let size = Int32(dimension)
    let status = LAPACKE_dpotrf(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "L")), size, &factor, size)
    guard status == 0 else {
      throw .codes("their covariance is not positive definite (pivot \(status))")
    }
    for row in 0..<dimension {
      for column in row + 1..<max(dimension, row + 1) { factor[row * dimension + column] = 0 }
    }
    self.dimension = dimension
    self.mean = mean
    self.factor = factor
  }

  /// ln N(z; m, S) in nats of each of n codes, by substitution C w = z − m. `codes`: n × K.
  /// - Precondition: `codes.count` is a multiple of K.
  public func logDensity(of codes: [Float]) -> [Double] {
    precondition(codes.count % dimension == 0, "codes are rows of \(dimension) numbers")
    var constant = -halfLogTwoPi * Double(dimension)
    for row in 0..<dimension { constant -= log(factor[row * dimension + row]) }
    var whitened = [Double](repeating: 0, count: dimension)
    return stride(from: 0, to: codes.count, by: dimension).map { start in
      var value = constant
      for row in 0..<dimension {
        var sum = Double(codes[start + row]) - mean[row]
        for column in 0..<row { sum -= factor[row * dimension + column] * whitened[column] }
        whitened[row] = sum / factor[row * dimension + row]
        value -= 0.5 * whitened[row] * whitened[row]
      }
      return value
    }
  }

  /// m + C n: a draw where n is one of N(0, I).
  package func point(_ normals: [Double]) -> [Double] {
    precondition(normals.count == dimension)
    return (0..<dimension).map { row in
      (0...row).reduce(mean[row]) { $0 + factor[row * dimension + $1] * normals[$1] }
    }
  }

  /// √S_kk of each coordinate.
  package var standardDeviations: [Double] {
    (0..<dimension).map { row in
      (0...row).reduce(0) { $0 + factor[row * dimension + $1] * factor[row * dimension + $1] }
        .squareRoot()
    }
  }

  /// C⁻¹, lower triangular, row-major [K, K].
  func inverseFactor() -> [Double] {
    var inverse = factor
    let size = Int32(dimension)
    let status = LAPACKE_dtrtri(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "L")), CChar(UInt8(ascii: "N")), size, &inverse, size)
    precondition(status == 0, "a Cholesky factor has a positive diagonal")
    return inverse
  }
}

/// Mean and covariance (lower triangle; divided by n) of rows of codes.
func moments(_ codes: [Float], dimension: Int) -> (mean: [Double], covariance: [Double]) {
  let count = Double(codes.count / dimension)
  var mean = [Double](repeating: 0, count: dimension)
  for (index, code) in codes.enumerated() { mean[index % dimension] += Double(code) / count }
  var covariance = [Double](repeating: 0, count: dimension * dimension)
  var centered = mean
  for start in stride(from: 0, to: codes.count, by: dimension) {
    for row in 0..<dimension { centered[row] = Double(codes[start + row]) - mean[row] }
    for row in 0..<dimension {
      let factor = centered[row] / count
      for column in 0...row { covariance[row * dimension + column] += factor * centered[column] }
    }
  }
  return (mean, covariance)
}
