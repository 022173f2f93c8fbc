import Maps

extension PAEModel {
  /// u = f(e(x)) of one picture, C·H·W intensities: K base variables.
  /// - Throws: what the plans throw.
  package func baseVariables(of picture: [Float]) throws -> [Double] {
    var code = [Float](repeating: 0, count: latentDimension)
    var codeSpan = code.mutableSpan
    try encoder.makePlan(lanes: 1).apply(picture.span, into: &codeSpan)
    var base = code
    var baseSpan = base.mutableSpan
    var logDeterminant: [Float] = [0]
    var determinantSpan = logDeterminant.mutableSpan
    try flow.makeNormalizingPlan(lanes: 1).apply(
      code.span, into: &baseSpan, logDeterminants: &determinantSpan)
    return base.map { Double($0) }
  }
}
