import Likelihoods
import Maps
import Noise

/// The law of a problem's data given their means: which likelihood the posterior has.
package enum DataLaw: Sendable {
  /// Independent data, censored or not, whose variances depend on the levels and on what is painted.
  case independent
  /// The same under each of several laws of the noise, which are summed out. The instrument gives the data
  /// under each then, J·D.
  case alternatives(NoiseAlternatives)
  /// Correlated Gaussian data, all measured, of this covariance; both levels are known and part of it.
  case correlated(any NoiseModel)
}

extension ImagePosterior {
  /// The likelihood of lanes that work on these problems.
  /// - Throws: what the noise model's plan throws.
  func makeLikelihood(problems lanes: [Int]) throws(PlanError) -> any LikelihoodEvaluator {
    let used = Array(Set(lanes)).sorted()
    let data = used.flatMap(data(of:))
    let own = lanes.map { problem in used.firstIndex(of: problem)! }
    switch law {
    case .independent: return CensoredEvaluator(problems: data, lanes: own)
    case .alternatives(let alternatives):
      return NoiseMixtureEvaluator(
        problems: data, logWeights: alternatives.logWeights, lanes: own)
    case .correlated(let noise):
      return try GaussianEvaluator(data: data.map(\.values), lanes: own, noise: noise)
    }
  }
}
