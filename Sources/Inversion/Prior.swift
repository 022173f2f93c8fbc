import Flows
import Maps
import Noise
import Tensors

/// What pictures are thought to be before any data: x = generator(u) + ε with u ~ N(0, I) and
/// ε ~ N(0, Σ), the part that the generator cannot paint.
///
/// A prior of your own needs `generator` and `residual`. The other members say what a trained model knows
/// besides; without them pictures are found and drawn all the same.
public protocol Prior: Sendable {
  /// From base variables u (its domain) to mean images C×H×W (its codomain).
  var generator: any DifferentiableMap { get }
  /// Σ, over the elements of the image in row-major order C×H×W.
  var residual: ResidualCovariance { get }
  /// What reports call it; "prior" unless it has a name.
  var name: String { get }
  /// The codes behind the base variables, in which chains are quicker; nil where u is all there is.
  var codeSpace: CodeSpace? { get }
  /// How the residual's size differs from picture to picture; nil where Σ is that of every picture.
  var residualScale: ResidualScale? { get }
  /// The residual by painted intensity; nil where only Σ is known.
  var intensityResidual: IntensityResidual? { get }
  /// Base variables from which a search for this picture, C·H·W intensities, had better begin; nil where
  /// nothing suggests any, and the search begins at u = 0 and at draws of the prior.
  func suggestion(for picture: [Float]) throws -> [Double]?
}

/// A generator taken apart: generator = decoder ∘ T with z = T(u), and the flow f = T⁻¹ that knows the density
/// of the codes z.
public struct CodeSpace: Sendable {
  /// From codes z, K, to mean images.
  public let decoder: any DifferentiableMap
  /// u = f(z), K.
  public let flow: any Bijection

  public init(decoder: any DifferentiableMap, flow: any Bijection) {
    self.decoder = decoder
    self.flow = flow
  }
}

extension Prior {
  public var name: String { "prior" }
  public var codeSpace: CodeSpace? { nil }
  public var residualScale: ResidualScale? { nil }
  public var intensityResidual: IntensityResidual? { nil }
  public func suggestion(for picture: [Float]) throws -> [Double]? { nil }
}

extension Prior {
  /// K: how many base variables there are.
  public var latentDimension: Int { generator.domain.count }
  /// C×H×W.
  public var imageShape: Shape { generator.codomain }
  /// Variance of ε for each element of the image, the diagonal of Σ; squared intensity. Cost O(R P).
  public var residualVariances: [Float] { residual.marginalVariances }

  /// z = T(u) of each row of K base variables; the rows themselves where there are no codes.
  package func codes(ofBase rows: [[Double]]) throws(PlanError) -> [[Double]] {
    guard let codeSpace else { return rows }
    return try mapped(rows.map { $0.map { Float($0) } }, by: codeSpace.flow.generator)
      .map { $0.map { Double($0) } }
  }

  /// G(u) of each row of K base variables: C·H·W intensities each.
  package func pictures(ofBase rows: [[Double]]) throws(PlanError) -> [[Float]] {
    try mapped(rows.map { $0.map { Float($0) } }, by: generator)
  }
}

/// Rows mapped at once.
private let lanesOfRows = 64

/// A map of each of these rows.
func mapped(
  _ rows: [[Float]], by map: any DifferentiableMap
) throws(PlanError) -> [[Float]] {
  let lanes = min(lanesOfRows, rows.count)
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
