import Maps
import Operators

/// The parts of a sum, sorted by kind and checked against one another.
struct CovarianceParts: Sendable {
  let dimension: Int
  /// The sum of the independent variances, one for each datum; with those of residuals whose elements
  /// the data are.
  let variances: [Double]
  let grids: [MaskedSpectrum]
  let residuals: [(covariance: ResidualCovariance, map: any LinearOperator)]
  /// What the parts with any variance are called together.
  let name: String

  /// - Throws: `unusable` when there is no part or no datum, the numbers of data differ, a residual
  ///   does not fit its operator, or a variance is negative, NaN or infinite; each says which.
  init(_ parts: [NoisePart]) throws(PlanError) {
    guard let first = parts.first else { throw .unusable("a sum of no noises") }
    dimension = first.dimension
    guard dimension > 0 else { throw .unusable("\(first.name) of the noise has no data") }
    var variances = [Double](repeating: 0, count: dimension)
    var grids: [MaskedSpectrum] = []
    var residuals: [(covariance: ResidualCovariance, map: any LinearOperator)] = []
    var names: [String] = []
    for (index, part) in parts.enumerated() {
      guard part.dimension == dimension else {
        throw .unusable(
          "\(part.name) of the noise, part \(index), has \(part.dimension) data, but part 0 has "
            + "\(dimension)")
      }
      switch part {
      case .independent(let values):
        try Self.checkVariances(values)
        for index in values.indices { variances[index] += values[index] }
        if !values.contains(where: { $0 > 0 }) { continue }
      case .stationary(let spectrum): grids.append(spectrum)
      case .residual(let covariance, let map):
        guard map.domain.count == covariance.count else {
          throw .unusable(
            "the decoder residual has \(covariance.count) elements, but its operator takes "
              + "\(map.domain)")
        }
        guard let elements = Self.elementsSeen(map) else {
          residuals.append((covariance, map))
          break
        }
        for (datum, element) in elements.enumerated() {
          variances[datum] += Double(covariance.variances[element])
        }
        if covariance.rank > 0 { residuals.append((covariance.withoutVariances, map)) }
      }
      names.append(part.name)
    }
    self.variances = variances
    self.grids = grids
    self.residuals = residuals
    name = names.isEmpty ? first.name : names.joined(separator: " plus ")
  }

  /// The element of the picture that each datum is, for operators that only choose: independent elements
  /// are then independent data, exactly.
  private static func elementsSeen(_ map: any LinearOperator) -> [Int]? {
    if map is IdentityOperator { return Array(0..<map.domain.count) }
    return (map as? MaskOperator)?.observedIndices.map { Int($0) }
  }

  private static func checkVariances(_ values: [Double]) throws(PlanError) {
    if let index = values.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw .unusable(
        "independent noise variance \(index) is \(values[index]); variances must be finite and not "
          + "negative")
    }
  }

  /// What is thrown when a datum has no variance left.
  func singular(at datum: Int) -> PlanError {
    .unusable(
      "the covariance of \(name) is singular or indefinite at datum \(datum): given other data, its "
        + "variance is not positive; add independent noise")
  }
}

extension ResidualCovariance {
  /// What the pictures have in common alone.
  fileprivate var withoutVariances: ResidualCovariance {
    ResidualCovariance(variances: .init(repeating: 0, count: count), factors: factors)
  }
}
