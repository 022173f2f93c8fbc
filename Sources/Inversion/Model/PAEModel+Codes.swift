import Maps

extension PAEModel {
  public var name: String { description.name }
  public var codeSpace: CodeSpace? { CodeSpace(decoder: decoder, flow: flow) }

  /// What the encoder reads in the picture.
  public func suggestion(for picture: [Float]) throws -> [Double]? {
    try baseVariables(of: picture)
  }

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

  /// g(e(x)), what the autoencoder makes of pictures of C·H·W intensities each.
  package func reconstructions(of pictures: [[Float]]) throws(PlanError) -> [[Float]] {
    try mapped(mapped(pictures, by: encoder), by: decoder)
  }
}
