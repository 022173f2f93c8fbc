import Tensors

/// `{"op": "identity"}`, `{"op": "downsample", "factor": 2}`,
/// `{"op": "blur", "rows": 1, "columns": 3, "values": [0.25, 0.5, 0.25], "border": "zero"}`,
/// `{"op": "crop", "top": 0, "left": 2, "height": 24, "width": 24}`,
/// `{"op": "pad", "top": 0, "left": 2, "bottom": 0, "right": 2}`,
/// `{"op": "fourier", "sampled": "1100…"}` with a character for each frequency,
/// `{"op": "gain", "values": [1, 0.9]}`.
extension OperatorDescription: Codable {
  private enum Key: String, CodingKey {
    case op, rows, columns, values, border, factor, top, left, height, width, bottom, right, sampled
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func integer(_ key: Key) throws -> Int { try container.decode(Int.self, forKey: key) }
    let operation = try container.decode(String.self, forKey: .op)
    switch operation {
    case "identity": self = .identity
    case "blur":
      let values = try container.decode([Float].self, forKey: .values)
      let (rows, columns) = (try integer(.rows), try integer(.columns))
      let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
      guard rows > 0, columns > 0, !overflow, count == values.count else {
        throw DecodingError.dataCorruptedError(
          forKey: .values, in: container,
          debugDescription: "\(values.count) values are not \(rows) rows of \(columns) columns")
      }
      self = .blur(
        pointSpreadFunction: Tensor(shape: Shape(rows, columns), values: values),
        border: try container.decode(ConvolutionOperator.Border.self, forKey: .border))
    case "downsample": self = .downsample(factor: try integer(.factor))
    case "crop":
      self = .crop(
        top: try integer(.top), left: try integer(.left), height: try integer(.height),
        width: try integer(.width))
    case "pad":
      self = .pad(
        top: try integer(.top), left: try integer(.left), bottom: try integer(.bottom),
        right: try integer(.right))
    case "fourier":
      let text = try container.decode(String.self, forKey: .sampled)
      guard text.utf8.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "1") }) else {
        throw DecodingError.dataCorruptedError(
          forKey: .sampled, in: container, debugDescription: "a flag is neither 0 nor 1")
      }
      self = .fourier(sampled: text.utf8.map { $0 == UInt8(ascii: "1") })
    case "gain": self = .gain(try container.decode([Float].self, forKey: .values))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .op, in: container, debugDescription: "there is no operator \(operation)")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .op)
    switch self {
    case .identity: break
    case .blur(let function, let border):
      // A shape of another rank is kept as one row; `makeOperator` refuses it.
      let rows = function.shape.rank == 2 ? function.shape[0] : 1
      try container.encode(rows, forKey: .rows)
      try container.encode(function.count / max(rows, 1), forKey: .columns)
      try container.encode(function.values, forKey: .values)
      try container.encode(border, forKey: .border)
    case .downsample(let factor): try container.encode(factor, forKey: .factor)
    case .crop(let top, let left, let height, let width):
      try container.encode(top, forKey: .top)
      try container.encode(left, forKey: .left)
      try container.encode(height, forKey: .height)
      try container.encode(width, forKey: .width)
    case .pad(let top, let left, let bottom, let right):
      try container.encode(top, forKey: .top)
      try container.encode(left, forKey: .left)
      try container.encode(bottom, forKey: .bottom)
      try container.encode(right, forKey: .right)
    case .fourier(let sampled):
      try container.encode(sampled.map { $0 ? "1" : "0" }.joined(), forKey: .sampled)
    case .gain(let gains): try container.encode(gains, forKey: .values)
    }
  }
}
