import Maps

extension CovarianceParts {
  /// The Cholesky factor of the sum.
  /// - Throws: `tooLarge` above `DenseNoise.largestDimension` data; `unusable` when it is singular;
  ///   whatever an operator's plan throws.
  func denseNoise() throws(PlanError) -> DenseNoise {
    try DenseNoise.checkDimension(dimension)
    var matrix = try CovarianceElements(variances: variances, grids: grids).matrix
    for (covariance, map) in residuals {
      let plan = try map.makePlan(lanes: 1)
      var image = [Float](repeating: 0, count: dimension)
      var unit = [Float](repeating: 0, count: covariance.count)
      func seen(_ picture: [Float]) -> [Double] {
        var span = image.mutableSpan
        plan.apply(picture.span, into: &span)
        return image.map { Double($0) }
      }
      let common = try covariance.seen(
        dimension: dimension,
        element: { index in
          unit[index] = 1
          defer { unit[index] = 0 }
          return seen(unit)
        }, factor: { seen(covariance.factor($0)) })
      for index in matrix.indices { matrix[index] += common[index] }
    }
    return try DenseNoise(matrix, dimension, name: "the covariance of \(name)")
  }
}
