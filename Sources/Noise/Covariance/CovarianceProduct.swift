import Maps
import Numerics
import Randomness

extension CovarianceParts {
  /// U, one column after another: A f for each factor of each residual, R×D row-major.
  func columns() throws(PlanError) -> [Double] {
    var columns: [Double] = []
    for (covariance, map) in residuals where covariance.rank > 0 {
      let plan = try map.makePlan(lanes: 1)
      var image = [Float](repeating: 0, count: dimension)
      for factor in 0..<covariance.rank {
        let picture = covariance.factor(factor)
        var span = image.mutableSpan
        plan.apply(picture.span, into: &span)
        for value in image { columns.append(Double(value)) }
      }
    }
    return columns
  }

  /// The residuals with independent elements.
  func residualProducts() throws(PlanError) -> [ResidualProduct] {
    var products: [ResidualProduct] = []
    for (covariance, map) in residuals where covariance.variances.contains(where: { $0 > 0 }) {
      products.append(try ResidualProduct(covariance, map))
    }
    return products
  }
}

/// N x for the sum of all parts, and exact draws of it; owns its buffers, one owner.
final class CovarianceProduct {
  let dimension: Int
  private let variances: [Double]
  private let grids: [GridProduct]
  private let residuals: [ResidualProduct]
  /// U, R×D row-major.
  private let columns: [Double]

  init(_ parts: CovarianceParts, columns: [Double]) throws(PlanError) {
    dimension = parts.dimension
    variances = parts.variances
    var grids: [GridProduct] = []
    for grid in parts.grids { grids.append(try GridProduct(grid)) }
    self.grids = grids
    residuals = try parts.residualProducts()
    self.columns = columns
  }

  /// y = N x; the two must not be the same.
  func apply(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>) {
    variances.withUnsafeBufferPointer { variances in
      for datum in 0..<dimension { y[datum] = variances[datum] * x[datum] }
    }
    for grid in grids { grid.add(x, to: y) }
    for residual in residuals { residual.add(x, to: y) }
    columns.withUnsafeBufferPointer { columns in
      for start in stride(from: 0, to: columns.count, by: dimension) {
        let column = columns.baseAddress! + start
        VectorKernels.add(VectorKernels.dot(column, x, dimension), column, to: y, dimension)
      }
    }
  }

  /// One draw, each part on its own.
  func draw(_ stream: inout RandomStream, into y: UnsafeMutablePointer<Double>) {
    for datum in 0..<dimension { y[datum] = variances[datum].squareRoot() * stream.normal() }
    for grid in grids { grid.addDraw(&stream, to: y) }
    for residual in residuals { residual.addDraw(&stream, to: y) }
    columns.withUnsafeBufferPointer { columns in
      for start in stride(from: 0, to: columns.count, by: dimension) {
        VectorKernels.add(stream.normal(), columns.baseAddress! + start, to: y, dimension)
      }
    }
  }
}
