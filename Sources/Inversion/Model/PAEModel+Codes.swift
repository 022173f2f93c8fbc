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

  /// z = T(u) of each row of K base variables.
  package func codes(ofBase rows: [[Double]]) throws(PlanError) -> [[Double]] {
    try mapped(rows.map { $0.map { Float($0) } }, by: flow.generator)
      .map { $0.map { Double($0) } }
  }

  /// G(u) = g(T(u)) of each row of K base variables: C·H·W intensities each.
  package func pictures(ofBase rows: [[Double]]) throws(PlanError) -> [[Float]] {
    try mapped(rows.map { $0.map { Float($0) } }, by: generator)
  }

  /// g(e(x)), what the autoencoder makes of pictures of C·H·W intensities each.
  package func reconstructions(of pictures: [[Float]]) throws(PlanError) -> [[Float]] {
    try mapped(mapped(pictures, by: encoder), by: decoder)
  }

  /// Rows mapped at once.
  private static let lanes = 64

  private func mapped(
    _ rows: [[Float]], by map: some DifferentiableMap
  ) throws(PlanError) -> [[Float]] {
    let lanes = min(Self.lanes, rows.count)
    guard lanes > 0 else { return [] }
    let plan = try map.makePlan(lanes: lanes)
    let (inputs, outputs) = (map.domain.count, map.codomain.count)
    var result: [[Float]] = []
    for first in stride(from: 0, to: rows.count, by: lanes) {
      let some = rows[first..<min(first + lanes, rows.count)]
      var input = Array(some.joined())
      input += [Float](repeating: 0, count: lanes * inputs - input.count)
      var output = [Float](repeating: 0, count: lanes * outputs)
      var span = output.mutableSpan
      plan.apply(input.span, into: &span)
      for row in 0..<some.count {
        result.append(Array(output[row * outputs..<(row + 1) * outputs]))
      }
    }
    return result
  }
}
