/// What the decoder cannot paint, ε ~ N(0, Σ) with Σ = diag(s) + Σ_r f_r f_rᵀ: independent elements plus
/// R directions in which whole pictures err.
public struct ResidualCovariance: Sendable, Equatable {
  /// s, one variance for each of the P elements of a picture (row-major C×H×W); intensity², each ≥ 0.
  public let variances: [Float]
  /// f, R×P row-major; intensity.
  public let factors: [Float]

  /// - Precondition: finite values, variances not negative, a whole number of factors.
  public init(variances: [Float], factors: [Float] = []) {
    precondition(variances.allSatisfy { $0 >= 0 && $0.isFinite })
    precondition(factors.allSatisfy(\.isFinite))
    precondition(factors.isEmpty || factors.count % variances.count == 0)
    self.variances = variances
    self.factors = factors
  }

  /// No residual: Σ = 0.
  public static func none(_ count: Int) -> ResidualCovariance {
    ResidualCovariance(variances: [Float](repeating: 0, count: count))
  }

  /// P.
  public var count: Int { variances.count }
  /// R.
  public var rank: Int { variances.isEmpty ? 0 : factors.count / variances.count }

  /// The diagonal of Σ: s_i + Σ_r f_ri², the variance of each element.
  public var marginalVariances: [Float] {
    var total = variances.map { Double($0) }
    for index in factors.indices {
      total[index % count] += Double(factors[index]) * Double(factors[index])
    }
    return total.map { Float($0) }
  }

  /// The same variances without what elements have in common.
  public var diagonal: ResidualCovariance { ResidualCovariance(variances: marginalVariances) }
}
