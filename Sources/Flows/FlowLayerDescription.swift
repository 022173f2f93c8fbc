/// One layer y = f(x) of a flow, in the direction from codes to base variables. Layer i of the list
/// reads the tensors `flow.{i}.…`, all Float32, row-major. K is the dimension, ℓ = ln|det ∂y/∂x|.
///
/// | op | what it does; the exact formula stands at the type | tensors |
/// | --- | --- | --- |
/// | `affine` | `Standardization`: scales and shifts each coordinate | `mean`, `logScale` [K] |
/// | `whitening` | `Whitening`: along principal axes with variance 1 | `mean`, `logScale` [K], `axes` [K, K] |
/// | `luLinear` | `TriangularLinear`: a linear map by its triangular factors | `lower`, `upper` [K, K], `logDiagonal`, `bias` [K] |
/// | `permutation` | `Permutation` | none |
/// | `splineCoupling`, `affineCoupling` | `SplineCoupling`, `AffineCoupling` | `conditioner.{j}.weight` [out, in], `conditioner.{j}.bias` [out] |
/// | `slicedSpline` | `SlicedSpline`: splines along a few directions | `directions` [r, K], `knots`, `values`, `slopes` [r, bins + 1] |
/// | `maskedAffine`, `maskedMixture` | `MaskedAffine`, `MaskedMixture`: each coordinate given the ones before | those of `MaskedKind` |
public struct FlowLayerDescription: Sendable {
  let kind: any FlowLayerKind

  private init(kind: any FlowLayerKind) { self.kind = kind }

  /// Every kind that a model file may name.
  private static let kinds: [any FlowLayerKind.Type] = [
    Standardization.self, TriangularLinear.self, Permutation.self, SplineCoupling.self,
    AffineCoupling.self, SlicedSpline.self, Whitening.self, MaskedAffine.self, MaskedMixture.self,
  ]

  public static let affine = Self(kind: Standardization())
  public static let whitening = Self(kind: Whitening())
  public static let luLinear = Self(kind: TriangularLinear())

  public static func permutation(_ order: [Int]) -> Self { Self(kind: Permutation(order: order)) }
  public static func splineCoupling(_ kind: SplineCoupling) -> Self { Self(kind: kind) }
  public static func affineCoupling(_ kind: AffineCoupling) -> Self { Self(kind: kind) }
  public static func slicedSpline(_ kind: SlicedSpline) -> Self { Self(kind: kind) }

  public static func maskedAffine(_ kind: MaskedAffine) -> Self { Self(kind: kind) }
  public static func maskedMixture(_ kind: MaskedMixture) -> Self { Self(kind: kind) }

  /// Multiply-adds of the matrix products of one code's forward pass.
  package func multiplyAdds(dimension: Int) -> Int { kind.multiplyAdds(dimension: dimension) }
}

extension FlowLayerDescription: Equatable {
  public static func == (left: Self, right: Self) -> Bool {
    func isEqual<Kind: FlowLayerKind>(_ kind: Kind) -> Bool { kind == right.kind as? Kind }
    return isEqual(left.kind)
  }
}

/// `{"op": "affine"}`, `{"op": "permutation", "order": [1, 0]}`: the operation and what the kind has.
extension FlowLayerDescription: Codable {
  private enum Key: String, CodingKey {
    case op
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let operation = try container.decode(String.self, forKey: .op)
    guard let kind = Self.kinds.first(where: { $0.operation == operation }) else {
      let known = Self.kinds.map { $0.operation }.joined(separator: ", ")
      throw DecodingError.dataCorruptedError(
        forKey: .op, in: container,
        debugDescription: "the flow layer \"\(operation)\" is none of \(known)")
    }
    func decode<Kind: FlowLayerKind>(_: Kind.Type) throws -> any FlowLayerKind {
      try Kind(from: decoder)
    }
    self.init(kind: try decode(kind))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(type(of: kind).operation, forKey: .op)
    try kind.encode(to: encoder)
  }
}
