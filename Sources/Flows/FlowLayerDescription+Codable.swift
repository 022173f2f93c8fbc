/// `{"op": "affine"}`, `{"op": "permutation", "order": [1, 0]}`,
/// `{"op": "splineCoupling", "bins": 8, "bound": 4, "hidden": [128, 128], "transforms": "second"}`,
/// `{"op": "slicedSpline", "directions": 16, "bins": 16}`.
extension FlowLayerDescription: Codable {
  private enum Key: String, CodingKey {
    case op, order
  }

  private enum Operation: String, Codable {
    case affine, luLinear, permutation, splineCoupling, affineCoupling, slicedSpline
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(Operation.self, forKey: .op) {
    case .affine: self = .affine
    case .luLinear: self = .luLinear
    case .permutation: self = .permutation(try container.decode([Int].self, forKey: .order))
    case .splineCoupling: self = .splineCoupling(try SplineCoupling(from: decoder))
    case .affineCoupling: self = .affineCoupling(try AffineCoupling(from: decoder))
    case .slicedSpline: self = .slicedSpline(try SlicedSpline(from: decoder))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .affine: try container.encode(Operation.affine, forKey: .op)
    case .luLinear: try container.encode(Operation.luLinear, forKey: .op)
    case .permutation(let order):
      try container.encode(Operation.permutation, forKey: .op)
      try container.encode(order, forKey: .order)
    case .splineCoupling(let coupling):
      try container.encode(Operation.splineCoupling, forKey: .op)
      try coupling.encode(to: encoder)
    case .affineCoupling(let coupling):
      try container.encode(Operation.affineCoupling, forKey: .op)
      try coupling.encode(to: encoder)
    case .slicedSpline(let sliced):
      try container.encode(Operation.slicedSpline, forKey: .op)
      try sliced.encode(to: encoder)
    }
  }
}
