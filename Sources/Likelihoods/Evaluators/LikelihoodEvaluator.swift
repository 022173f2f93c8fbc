/// ln p(y | m) of many lanes and its gradients in the means and levels. Conformers: `CensoredEvaluator`
/// (independent data, one law of the noise), `NoiseMixtureEvaluator` (a weighted mixture of laws) and
/// `GaussianEvaluator` (correlated data at a known level).
package protocol LikelihoodEvaluator: AnyObject {
  /// `means`, `meanGradients`: lanes × the length of a lane's means; all else: lanes. Nats. A lane whose
  /// value is not finite gets −∞ and zero gradients.
  func evaluate(
    means: Span<Float>, levels: Span<NoiseLevels>, logDensities: inout MutableSpan<Double>,
    meanGradients: inout MutableSpan<Float>, logSigmaGradients: inout MutableSpan<Double>,
    logScaleGradients: inout MutableSpan<Double>)
}

extension CensoredEvaluator: LikelihoodEvaluator {}
