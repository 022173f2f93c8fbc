import CLAPACK
import Foundation
import Numerics

/// A mixture of Gaussians over codes of K numbers: p(z) = Σ_m w_m N(z; μ_m, Σ_m).
public struct GaussianMixtureDensity: Sendable, Equatable {
  /// K.
  public let dimension: Int
  /// w, M numbers that are not negative and sum to one.
  public let weights: [Double]
  /// μ, M×K.
  public let means: [Float]
  /// Σ, M × K(K+1)/2: of each matrix the upper triangle, row by row.
  public let covariances: [Float]

  /// M.
  public var componentCount: Int { weights.count }
  /// K(K+1)/2, the numbers of a symmetric matrix.
  public var triangle: Int { Self.triangle(dimension) }

  static func triangle(_ dimension: Int) -> Int { dimension * (dimension + 1) / 2 }

  /// Weights are divided by their sum.
  /// - Throws: `parts` naming what has the wrong count, is not finite, or is no covariance.
  public init(
    dimension: Int, weights: [Double], means: [Float], covariances: [Float]
  ) throws(TileError) {
    let count = weights.count
    guard dimension > 0, count > 0, means.count == count * dimension,
      covariances.count == count * Self.triangle(dimension)
    else {
      throw .parts(
        "\(count) weights, \(means.count) numbers of means and \(covariances.count) of covariances "
          + "for codes of \(dimension)")
    }
    guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }),
      means.allSatisfy(\.isFinite), covariances.allSatisfy(\.isFinite)
    else { throw .parts("the mixture holds a number that is not finite, or no positive weight") }
    let sum = weights.reduce(0, +)
    self.dimension = dimension
    self.weights = weights.map { $0 / sum }
    self.means = means
    self.covariances = covariances
    for component in 0..<count where factor(component, adding: 0) == nil {
      throw .parts("the covariance of component \(component) is not positive definite")
    }
  }

  /// Σ_m + variance·I as a full K×K matrix.
  func covariance(_ component: Int, adding variance: Double = 0) -> [Double] {
    let size = dimension
    var matrix = [Double](repeating: 0, count: size * size)
    var place = component * triangle
    for row in 0..<size {
      for column in row..<size {
        let value = Double(covariances[place])
        matrix[row * size + column] = value
        matrix[column * size + row] = value
        place += 1
      }
      matrix[row * size + row] += variance
    }
    return matrix
  }

  /// U with UᵀU = Σ_m + variance·I in the upper triangle (column by column), and ln det; nil where it
  /// is not positive definite.
  func factor(
    _ component: Int, adding variance: Double
  ) -> (upper: [Double], logDeterminant: Double)? {
    var matrix = covariance(component, adding: variance)
    let size = Int32(dimension)
    guard LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 0x55 /* U */, size, &matrix, size) == 0 else {
      return nil
    }
    var logDeterminant = 0.0
    for index in 0..<dimension { logDeterminant += 2 * log(matrix[index * dimension + index]) }
    return (matrix, logDeterminant)
  }
}
