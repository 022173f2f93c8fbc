import CLAPACK
import Numerics

/// Sums of rows and of their products in G groups, from which mean and covariance of all rows, or of all
/// but one group, follow without another look at the rows. Row i is in group i mod G.
public struct GroupedMoments: Sendable {
  public let dimension: Int
  public var groupCount: Int { groups.count }
  private let groups: [Sums]
  private let total: Sums
  /// What is subtracted from each row before it is squared, so that sums do not cancel: the mean.
  private let shift: [Double]

  /// Of some rows: how many, their sum and the sum of r rᵀ, D×D, upper triangle.
  private struct Sums: Sendable {
    var count = 0
    var sum: [Double]
    var products: [Double]

    init(_ dimension: Int) {
      sum = [Double](repeating: 0, count: dimension)
      products = [Double](repeating: 0, count: dimension * dimension)
    }
  }

  /// Cost O(n D²) time, G D² memory.
  /// - Parameter rows: n × D, row-major, finite.
  /// - Precondition: each group has a row, and two rows are left without any one of them.
  public init(rows: [Float], dimension: Int, groups groupCount: Int) {
    let count = rows.count / dimension
    precondition(
      groupCount >= 2 && count >= groupCount && count - (count - 1) / groupCount - 1 >= 2)
    precondition(rows.count == count * dimension)
    var mean = [Double](repeating: 0, count: dimension)
    for index in rows.indices { mean[index % dimension] += Double(rows[index]) / Double(count) }
    var total = Sums(dimension)
    let groups = (0..<groupCount).map { group in
      var sums = Sums(dimension)
      var block: [Double] = []
      for row in stride(from: group, to: count, by: groupCount) {
        sums.count += 1
        for column in 0..<dimension {
          let value = Double(rows[row * dimension + column]) - mean[column]
          block.append(value)
          sums.sum[column] += value
        }
      }
      let size = Int32(dimension)
      cblas_dsyrk(
        CblasRowMajor, CblasUpper, CblasTrans, size, Int32(sums.count), 1, block, size, 0,
        &sums.products, size)
      total.count += sums.count
      for index in sums.sum.indices { total.sum[index] += sums.sum[index] }
      for index in sums.products.indices { total.products[index] += sums.products[index] }
      return sums
    }
    self.dimension = dimension
    self.groups = groups
    self.total = total
    shift = mean
  }

  /// Mean and covariance (divided by one less than the number of rows) of all rows, or of those outside
  /// one group.
  public func moments(without group: Int? = nil) -> GaussianMoments {
    var sums = total
    if let group {
      sums.count -= groups[group].count
      for index in sums.sum.indices { sums.sum[index] -= groups[group].sum[index] }
      for index in sums.products.indices { sums.products[index] -= groups[group].products[index] }
    }
    let count = Double(sums.count)
    var covariance = sums.products
    for row in 0..<dimension {
      for column in row..<dimension {
        let value =
          (sums.products[row * dimension + column] - sums.sum[row] * sums.sum[column] / count)
          / (count - 1)
        covariance[row * dimension + column] = value
        covariance[column * dimension + row] = value
      }
    }
    return GaussianMoments(
      mean: zip(shift, sums.sum).map { $0 + $1 / count }, covariance: covariance)
  }
}

/// A number computed from rows, and what it is without each of G groups of them.
public struct JackknifeEstimate: Sendable, Equatable {
  public let value: Double
  public let replicates: [Double]

  public init(value: Double, replicates: [Double]) {
    self.value = value
    self.replicates = replicates
  }

  /// The delete-a-group standard error, √((G−1)/G Σ_g (θ_g − θ̄)²) (Efron and Tibshirani 1993, eq. 11.5,
  /// with groups for observations).
  public var error: Double {
    let count = Double(replicates.count)
    let mean = replicates.reduce(0, +) / count
    let squares = replicates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return ((count - 1) / count * squares).squareRoot()
  }

  /// The ratio of two numbers of the same groups; what both have in common drops out of its error.
  public static func / (a: JackknifeEstimate, b: JackknifeEstimate) -> JackknifeEstimate {
    precondition(a.replicates.count == b.replicates.count)
    return JackknifeEstimate(
      value: a.value / b.value, replicates: zip(a.replicates, b.replicates).map { $0 / $1 })
  }
}
