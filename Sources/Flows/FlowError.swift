/// Why a flow could not be made from a description and numbers that came from outside.
public enum FlowError: Error, Equatable, CustomStringConvertible {
  /// The dimension is outside 1 ... 4096, or there are more than 256 layers.
  case size(dimension: Int, layers: Int)
  /// Layer `index` cannot be used; why.
  case layer(index: Int, String)
  /// The flat parameter vector has the wrong length.
  case parameterCount(expected: Int, found: Int)
  /// A parameter is infinite or not a number.
  case notFinite(tensor: String)
  /// Codes that cannot be fitted; why.
  case codes(String)

  public var description: String {
    switch self {
    case .size(let dimension, let layers):
      "a flow needs a dimension in 1 ... 4096 and at most 256 layers,"
        + " found dimension \(dimension) and \(layers) layers"
    case .layer(let index, let why): "flow layer \(index): \(why)"
    case .parameterCount(let expected, let found):
      "the flow needs \(expected) parameters, found \(found)"
    case .notFinite(let tensor): "\(tensor) holds a number that is not finite"
    case .codes(let why): "the codes cannot be fitted: \(why)"
    }
  }
}
