import Maps
import Operators
import Tensors

/// The steps of the light's way as one operator, with what the data's files need to know of it.
package struct ForwardModel {
  /// A, from pictures to data.
  package let map: any DifferentiableMap
  /// The same where it is linear; nil for an instrument of a user's that is not.
  package var linearOperator: (any LinearOperator)? { map as? any LinearOperator }
  /// The last step, when data are frequencies.
  package let sampling: FourierSamplingOperator?
  /// Of the pictures.
  package var pictureShape: Shape { map.domain }
  package var dataShape: Shape { map.codomain }
  package let warnings: [Warning]
  package var isIdentity: Bool { map is IdentityOperator }

  /// An operator that is at hand.
  package init(_ map: any DifferentiableMap) {
    self.map = map
    sampling = map as? FourierSamplingOperator
    warnings = []
  }

  /// - Throws: `PipelineError` or `PlanError` for files and sizes that do not fit, naming the step.
  package init(_ steps: [ForwardStep], on shape: Shape) throws {
    var operators: [any LinearOperator] = []
    var warnings: [Warning] = []
    for (index, step) in steps.enumerated() {
      do {
        operators.append(
          try step.makeOperator(on: operators.last?.codomain ?? shape) { warnings.append($0) })
      } catch let error as PlanError {
        let message = "operator \(index + 1): \(error)"
        throw step.readsFile ? PipelineError.data(message) : .configuration(message)
      }
    }
    self.warnings = warnings
    sampling = operators.last as? FourierSamplingOperator
    switch operators.count {
    case 0: map = IdentityOperator(shape: shape)
    case 1: map = operators[0]
    default: map = try ComposedOperator(operators)
    }
  }

  /// A picture that the data suggest, for a search to begin with and for the eye: Aᵀy / AᵀA1, and the
  /// elements where that means something: none where A is not linear. Unobserved data count as zeros in both.
  func backProjection(
    _ data: [Float], observed: [Bool]?
  ) throws(PlanError) -> (picture: [Float], isKnown: [Bool]) {
    func seen(_ values: [Float]) -> [Float] {
      guard let observed else { return values }
      return zip(values, observed).map { $1 ? $0 : 0 }
    }
    guard !isIdentity else {
      return (seen(data), observed ?? [Bool](repeating: true, count: data.count))
    }
    let count = pictureShape.count
    guard let map = linearOperator else {
      return ([Float](repeating: 0, count: count), [Bool](repeating: false, count: count))
    }
    let plan = try map.makePlan(lanes: 1)
    func adjoint(_ values: [Float]) -> [Float] {
      var result = [Float](repeating: 0, count: count)
      var span = result.mutableSpan
      plan.vjp(seen(values).span, into: &span)
      return result
    }
    var ones = [Float](repeating: 0, count: dataShape.count)
    var span = ones.mutableSpan
    plan.apply([Float](repeating: 1, count: count).span, into: &span)
    let weights = adjoint(ones)
    let picture = adjoint(data)
    let floor = 0.1 * (weights.max() ?? 0)
    return (
      zip(picture, weights).map { $1 > floor ? $0 / $1 : 0 }, weights.map { $0 > floor && $0 > 0 }
    )
  }
}
