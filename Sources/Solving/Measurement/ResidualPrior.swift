import Inversion
import Likelihoods
import Noise
import Numerics
import Randomness

/// The law of ε before there are data, of a painted picture m and the residual's scale α.
package enum ResidualPrior {
  /// ε_i ~ N(0, α²h(m_i) + ρ).
  case intensity(IntensityVariance)
  /// ε ~ N(0, α²Σ).
  case covariance(ResidualCovariance)

  /// Variances of the elements, intensity².
  package func variances(_ painted: [Float], scale: Double) -> [Double] {
    switch self {
    case .intensity(let law): painted.map { law.total($0, squaredScale: scale * scale) }
    case .covariance(let covariance):
      covariance.marginalVariances.map { scale * scale * Double($0) }
    }
  }

  /// One draw of ε.
  package func draw(_ painted: [Float], scale: Double, stream: inout RandomStream) -> [Float] {
    switch self {
    case .intensity:
      return zip(variances(painted, scale: scale), stream.normals(painted.count)).map {
        Float($0.squareRoot() * $1)
      }
    case .covariance(let covariance):
      let own = stream.normals(covariance.count)
      let common = stream.normals(covariance.rank)
      return painted.indices.map { element in
        var value = Double(covariance.variances[element]).squareRoot() * own[element]
        for factor in common.indices {
          value +=
            Double(covariance.factors[factor * covariance.count + element]) * common[factor]
        }
        return Float(scale * value)
      }
    }
  }
}
