import Maps
import Randomness

/// The sum of the parts by conjugate gradients: the preconditioner and the log-determinant, made once.
struct IterativeNoise: NoiseModel {
  /// Lanczos steps that are never exceeded; near the identity a tenth of it is enough.
  static let lanczosLimit = 256

  let parts: CovarianceParts
  let settings: ConjugateGradients
  let columns: [Double]
  let map: WhiteningMap
  let logDeterminant: Double
  /// Standard error of `logDeterminant`, nats; 0 when it is exact.
  let logDeterminantError: Double
  var dimension: Int { parts.dimension }

  init(_ parts: CovarianceParts, _ settings: ConjugateGradients) throws(PlanError) {
    try settings.check()
    self.parts = parts
    self.settings = settings
    columns = try parts.columns()
    let products = try parts.residualProducts()
    var variances = parts.variances
    for (index, product) in products.enumerated() {
      let marginals = product.marginalVariances(settings.key.child("marginals").child(index))
      for datum in variances.indices { variances[datum] += marginals[datum] }
    }
    // Without a grid the factor only needs a diagonal, and what the residual's directions give it.
    if parts.grids.isEmpty, let zero = variances.firstIndex(where: { !($0 > 0) }) {
      throw parts.singular(at: zero)
    }
    let factor = try InverseFactor(
      CovarianceElements(variances: variances, grids: parts.grids), dimension: parts.dimension,
      grid: parts.grids.first, neighbours: settings.neighbours,
      singular: { parts.singular(at: $0) })
    map = try WhiteningMap(factor, columns: columns)
    let covariance = WhitenedCovariance(map, try CovarianceProduct(parts, columns: columns))
    (logDeterminant, logDeterminantError) = try LogDeterminant.estimate(
      covariance, settings, elementsAreExact: products.isEmpty, name: parts.name)
  }

  func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    ConjugateGradientPlan(
      lanes: lanes,
      covariance: WhitenedCovariance(map, try CovarianceProduct(parts, columns: columns)),
      logDeterminant: logDeterminant, settings: settings)
  }
}
