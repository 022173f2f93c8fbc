import Tensors

/// The JSON of the model file: {"op": "conv", "in": 1, "out": 32, "kernel": 4, "stride": 2,
/// "padding": 1}, {"op": "reshape", "shape": [64, 7, 7]}, {"op": "silu"}, …
extension LayerDescription: Codable {
  private enum Key: String, CodingKey {
    case op, `in`, out, kernel, stride, padding, slope, channels, rate, shape
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func integer(_ key: Key) throws -> Int {
      let value = try values.decode(Int.self, forKey: key)
      guard (0...1 << 24).contains(value) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "\(key.rawValue) is out of range: \(value)")
      }
      return value
    }
    let op = try values.decode(String.self, forKey: .op)
    switch op {
    case "linear": self = .linear(inputs: try integer(.in), outputs: try integer(.out))
    case "conv":
      self = .conv(
        inputs: try integer(.in), outputs: try integer(.out), kernel: try integer(.kernel),
        stride: try integer(.stride), padding: try integer(.padding))
    case "convTranspose":
      self = .convTranspose(
        inputs: try integer(.in), outputs: try integer(.out), kernel: try integer(.kernel),
        stride: try integer(.stride), padding: try integer(.padding))
    case "silu": self = .silu
    case "relu": self = .relu
    case "leakyRelu": self = .leakyRelu(slope: try values.decode(Double.self, forKey: .slope))
    case "sigmoid": self = .sigmoid
    case "batchNorm": self = .batchNorm(channels: try integer(.channels))
    case "dropout": self = .dropout(rate: try values.decode(Double.self, forKey: .rate))
    case "reshape":
      let extents = try values.decode([Int].self, forKey: .shape)
      guard extents.count <= 4, extents.allSatisfy({ (1...1 << 14).contains($0) }) else {
        throw DecodingError.dataCorruptedError(
          forKey: .shape, in: values, debugDescription: "the shape is out of range: \(extents)")
      }
      self = .reshape(Shape(extents))
    case "flatten": self = .flatten
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .op, in: values, debugDescription: "unknown layer '\(op)'")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    func kernelLayer(_ op: String, _ numbers: [Int]) throws {
      try values.encode(op, forKey: .op)
      for (key, number) in zip([Key.in, .out, .kernel, .stride, .padding], numbers) {
        try values.encode(number, forKey: key)
      }
    }
    switch self {
    case .linear(let inputs, let outputs): try kernelLayer("linear", [inputs, outputs])
    case .conv(let inputs, let outputs, let kernel, let stride, let padding):
      try kernelLayer("conv", [inputs, outputs, kernel, stride, padding])
    case .convTranspose(let inputs, let outputs, let kernel, let stride, let padding):
      try kernelLayer("convTranspose", [inputs, outputs, kernel, stride, padding])
    case .silu: try values.encode("silu", forKey: .op)
    case .relu: try values.encode("relu", forKey: .op)
    case .leakyRelu(let slope):
      try values.encode("leakyRelu", forKey: .op)
      try values.encode(slope, forKey: .slope)
    case .sigmoid: try values.encode("sigmoid", forKey: .op)
    case .batchNorm(let channels):
      try values.encode("batchNorm", forKey: .op)
      try values.encode(channels, forKey: .channels)
    case .dropout(let rate):
      try values.encode("dropout", forKey: .op)
      try values.encode(rate, forKey: .rate)
    case .reshape(let shape):
      try values.encode("reshape", forKey: .op)
      try values.encode(shape.extents, forKey: .shape)
    case .flatten: try values.encode("flatten", forKey: .op)
    }
  }
}
