import Foundation
import Networks
import Tensors
import Testing

@Suite struct LayerDescriptionCodableTests {
  private let layers: [LayerDescription] = [
    .linear(inputs: 7, outputs: 5),
    .conv(inputs: 1, outputs: 32, kernel: 4, stride: 2, padding: 1),
    .convTranspose(inputs: 3, outputs: 2, kernel: 5, stride: 4, padding: 0),
    .silu, .relu, .leakyRelu(slope: 0.2), .sigmoid, .batchNorm(channels: 9), .dropout(rate: 0.25),
    .reshape(Shape(64, 7, 7)), .flatten,
  ]

  private func decode(_ text: String) throws -> LayerDescription {
    try JSONDecoder().decode(LayerDescription.self, from: Data(text.utf8))
  }

  /// Seen to fail: stride and padding exchanged in the encoder.
  @Test("layers survive JSON")
  func roundTrip() throws {
    let data = try JSONEncoder().encode(layers)
    #expect(try JSONDecoder().decode([LayerDescription].self, from: data) == layers)
  }

  @Test("the JSON is that of the model file")
  func text() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let conv = String(decoding: try encoder.encode(layers[1]), as: UTF8.self)
    #expect(conv == #"{"in":1,"kernel":4,"op":"conv","out":32,"padding":1,"stride":2}"#)
    #expect(
      try decode(
        #"{"op": "conv", "in": 1, "out": 32, "kernel": 4, "stride": 2, "padding": 1}"#)
        == layers[1])
    #expect(try decode(#"{"op": "reshape", "shape": [64, 7, 7]}"#) == layers[9])
  }

  /// Seen to fail: the range check of `integer` left out; that of `reshape` left out (a crash).
  @Test(
    "unknown layers, missing, negative, fractional and huge numbers are refused",
    arguments: [
      #"{"op": "attention"}"#, #"{"op": ""}"#, #"{}"#, #"[]"#, #"{"op": 3}"#,
      #"{"op": "linear", "in": 3}"#, #"{"op": "linear", "in": -3, "out": 4}"#,
      #"{"op": "linear", "in": 3.5, "out": 4}"#, #"{"op": "linear", "in": "3", "out": 4}"#,
      #"{"op": "linear", "in": 9223372036854775807, "out": 9223372036854775807}"#,
      #"{"op": "linear", "in": 1e300, "out": 4}"#,
      #"{"op": "conv", "in": 1, "out": 1, "kernel": -3, "stride": 1, "padding": 1}"#,
      #"{"op": "convTranspose", "in": 1, "out": 1, "kernel": 3, "stride": 16777217, "padding": 1}"#,
      #"{"op": "batchNorm", "channels": -1}"#, #"{"op": "leakyRelu"}"#,
      #"{"op": "dropout", "rate": "half"}"#, #"{"op": "reshape", "shape": [-1, 4]}"#,
      #"{"op": "reshape", "shape": [0]}"#, #"{"op": "reshape", "shape": [1, 1, 1, 1, 1]}"#,
      #"{"op": "reshape", "shape": [4294967296, 4294967296, 4294967296]}"#,
    ])
  func refused(_ text: String) {
    #expect(throws: DecodingError.self) { try decode(text) }
  }
}
