import Likelihoods
import Maps
import Noise

// What the parts `noise` and `masked-noise` time: one call is one evaluation; buffers are made before.

extension NoisePlan {
  /// Log densities and gradients of the same residuals, lanes × D, at each call.
  func evaluation(of residuals: [Double], lanes: Int) -> () -> Void {
    var values = [Double](repeating: 0, count: lanes)
    var gradients = residuals
    return {
      var valueSpan = values.mutableSpan
      var gradientSpan = gradients.mutableSpan
      self.evaluate(residuals.span, logDensities: &valueSpan, gradients: &gradientSpan)
    }
  }
}

extension PixelData {
  /// The posterior's own evaluator of these data at the level σ, and the gradient with respect to the
  /// pictures, at each call. `pictures`: lanes × P.
  /// - Parameter instrument: from pictures to the data's means; nil when each datum is an element.
  func evaluation(
    of pictures: [Float], lanes: Int, sigma: Double, through instrument: (any MapPlan)? = nil
  ) -> () -> Void {
    let evaluator = CensoredEvaluator(
      problems: [self], lanes: [Int](repeating: 0, count: lanes))
    let levels = [NoiseLevels](repeating: NoiseLevels(sigma: sigma), count: lanes)
    var means = instrument == nil ? pictures : [Float](repeating: 0, count: lanes * count)
    var gradients = means
    var pulls = pictures
    var values = [Double](repeating: 0, count: lanes)
    var (slopes, scaleSlopes) = (values, values)
    return {
      if let instrument {
        var meanSpan = means.mutableSpan
        instrument.apply(pictures.span, into: &meanSpan)
      }
      var valueSpan = values.mutableSpan
      var gradientSpan = gradients.mutableSpan
      var slopeSpan = slopes.mutableSpan
      var scaleSpan = scaleSlopes.mutableSpan
      evaluator.evaluate(
        means: means.span, levels: levels.span, logDensities: &valueSpan,
        meanGradients: &gradientSpan, logSigmaGradients: &slopeSpan, logScaleGradients: &scaleSpan)
      if let instrument {
        var pullSpan = pulls.mutableSpan
        instrument.vjp(gradients.span, into: &pullSpan)
      }
    }
  }
}
