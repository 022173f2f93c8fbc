import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Testing

/// A small network to check against the formulas.
struct LayerCase: Sendable, CustomTestStringConvertible {
  let domain: Shape
  let layers: [LayerDescription]

  init(_ domain: Shape, _ layers: LayerDescription...) {
    self.domain = domain
    self.layers = layers
  }

  var testDescription: String { "\(domain): \(layers)" }

  /// Random weights with no special values anywhere: batch normalizations far from the identity.
  func network(seed: UInt64 = 1) throws -> Network {
    var parameters = try Network(
      domain: domain, layers: layers, key: RandomKey(seed: seed)
    ).parameters
    var stream = RandomKey(seed: seed).child("others").stream()
    for slot in Network.layout(layers).slots where slot.shape.rank == 1 {
      for index in slot.offset..<slot.offset + slot.shape.count {
        parameters[index] =
          slot.name.hasSuffix("Variance")
          ? Float(0.3 + 2 * stream.uniform()) : Float(0.3 + 0.5 * stream.normal())
      }
    }
    return try Network(domain: domain, layers: layers, parameters: parameters)
  }

  func inputs(lanes: Int, seed: UInt64 = 2) -> [Float] {
    var stream = RandomKey(seed: seed).stream()
    return stream.normals(lanes * domain.count).map { Float($0) }
  }

  static func conv(
    _ shape: Shape, to outputs: Int, _ kernel: Int, stride: Int, padding: Int
  ) -> LayerCase {
    LayerCase(
      shape,
      .conv(inputs: shape[0], outputs: outputs, kernel: kernel, stride: stride, padding: padding))
  }

  static func convTranspose(
    _ shape: Shape, to outputs: Int, _ kernel: Int, stride: Int, padding: Int
  ) -> LayerCase {
    LayerCase(
      shape,
      .convTranspose(
        inputs: shape[0], outputs: outputs, kernel: kernel, stride: stride, padding: padding))
  }

  static let linear = [
    LayerCase(Shape(7), .linear(inputs: 7, outputs: 5)),
    LayerCase(Shape(1), .linear(inputs: 1, outputs: 1)),
    LayerCase(Shape(33), .linear(inputs: 33, outputs: 17), .silu),
    LayerCase(Shape(2, 3, 5), .linear(inputs: 30, outputs: 16), .leakyRelu(slope: 0.2)),
  ]

  static let convolutions = [
    conv(Shape(1, 5, 7), to: 3, 3, stride: 1, padding: 1),
    conv(Shape(3, 8, 6), to: 16, 4, stride: 2, padding: 1),
    conv(Shape(16, 7, 5), to: 17, 3, stride: 2, padding: 0),
    conv(Shape(17, 6, 9), to: 1, 5, stride: 3, padding: 2),
    conv(Shape(3, 4, 5), to: 2, 1, stride: 1, padding: 0),
    conv(Shape(1, 3, 2), to: 1, 5, stride: 1, padding: 4),
    conv(Shape(2, 7, 8), to: 3, 2, stride: 3, padding: 0),
    conv(Shape(3, 1, 6), to: 4, 3, stride: 2, padding: 1),
    // Five items, eleven in training, share the columns' buffer: batches end within a group.
    conv(Shape(16, 9, 9), to: 3, 3, stride: 1, padding: 1),
  ]

  static let transposedConvolutions = [
    convTranspose(Shape(1, 5, 7), to: 3, 3, stride: 1, padding: 1),
    convTranspose(Shape(16, 4, 3), to: 3, 4, stride: 2, padding: 1),
    convTranspose(Shape(17, 3, 2), to: 16, 3, stride: 2, padding: 0),
    convTranspose(Shape(3, 2, 4), to: 17, 5, stride: 3, padding: 2),
    convTranspose(Shape(3, 4, 5), to: 1, 1, stride: 1, padding: 0),
    convTranspose(Shape(1, 7, 6), to: 1, 5, stride: 1, padding: 4),
    convTranspose(Shape(2, 3, 2), to: 3, 2, stride: 3, padding: 0),
    convTranspose(Shape(4, 1, 3), to: 3, 3, stride: 2, padding: 1),
    convTranspose(Shape(3, 9, 9), to: 16, 3, stride: 1, padding: 1),
  ]

  static let elementwise = [
    LayerCase(Shape(37), .silu), LayerCase(Shape(37), .relu),
    LayerCase(Shape(3, 3, 4), .leakyRelu(slope: 0.2)), LayerCase(Shape(5), .sigmoid),
    LayerCase(Shape(16), .leakyRelu(slope: -0.5)),
    LayerCase(Shape(2, 3), .reshape(Shape(3, 2)), .flatten),
    LayerCase(
      Shape(3, 5, 4), .conv(inputs: 3, outputs: 17, kernel: 3, stride: 1, padding: 1), .silu),
    LayerCase(
      Shape(3, 5, 4), .convTranspose(inputs: 3, outputs: 17, kernel: 3, stride: 2, padding: 1),
      .sigmoid),
    LayerCase(
      Shape(3, 5, 4), .convTranspose(inputs: 3, outputs: 1, kernel: 4, stride: 2, padding: 1),
      .relu),
  ]

  static let normalizations = [
    LayerCase(Shape(17), .batchNorm(channels: 17)),
    LayerCase(Shape(3, 4, 5), .batchNorm(channels: 3)),
    LayerCase(Shape(1, 4, 5), .batchNorm(channels: 1)),
    LayerCase(Shape(4), .silu, .batchNorm(channels: 4), .batchNorm(channels: 4)),
    LayerCase(Shape(4), .linear(inputs: 4, outputs: 6), .batchNorm(channels: 6), .silu),
    LayerCase(Shape(4), .linear(inputs: 4, outputs: 6), .silu, .batchNorm(channels: 6)),
    LayerCase(
      Shape(3, 5, 4), .conv(inputs: 3, outputs: 17, kernel: 3, stride: 2, padding: 1),
      .batchNorm(channels: 17), .leakyRelu(slope: 0.2)),
    LayerCase(
      Shape(3, 5, 4), .convTranspose(inputs: 3, outputs: 5, kernel: 4, stride: 2, padding: 1),
      .batchNorm(channels: 5), .sigmoid),
    LayerCase(
      Shape(12), .linear(inputs: 12, outputs: 30), .reshape(Shape(5, 2, 3)),
      .batchNorm(channels: 5),
      .convTranspose(inputs: 5, outputs: 2, kernel: 2, stride: 2, padding: 0)),
    LayerCase(
      Shape(3, 4, 4), .conv(inputs: 3, outputs: 4, kernel: 1, stride: 1, padding: 0),
      .reshape(Shape(8, 4, 2)), .batchNorm(channels: 8)),
    LayerCase(
      Shape(3, 4, 4), .conv(inputs: 3, outputs: 4, kernel: 3, stride: 1, padding: 1),
      .dropout(rate: 0),
      .batchNorm(channels: 4), .flatten, .batchNorm(channels: 64), .linear(inputs: 64, outputs: 3)),
  ]

  static let mixtures = [
    LayerCase(
      Shape(3, 6, 4), .conv(inputs: 3, outputs: 5, kernel: 3, stride: 1, padding: 1), .silu,
      .flatten, .linear(inputs: 120, outputs: 11), .relu, .linear(inputs: 11, outputs: 24),
      .reshape(Shape(4, 2, 3)),
      .convTranspose(inputs: 4, outputs: 3, kernel: 4, stride: 2, padding: 1),
      .sigmoid),
    // No flatten before the product, and none needed.
    LayerCase(
      Shape(2, 5, 4), .conv(inputs: 2, outputs: 3, kernel: 3, stride: 2, padding: 1),
      .linear(inputs: 18, outputs: 4)),
    // Reshapes between images with several channels, and an activation behind each.
    LayerCase(
      Shape(4, 3, 5), .conv(inputs: 4, outputs: 6, kernel: 3, stride: 1, padding: 1),
      .reshape(Shape(5, 6, 3)), .silu,
      .conv(inputs: 5, outputs: 2, kernel: 2, stride: 1, padding: 1),
      .reshape(Shape(2, 28)), .silu, .reshape(Shape(4, 2, 7)), .sigmoid),
    LayerCase(
      Shape(60), .reshape(Shape(3, 4, 5)), .silu,
      .conv(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: 1), .silu,
      .convTranspose(inputs: 1, outputs: 2, kernel: 3, stride: 1, padding: 1)),
    // Images of one pixel, whose channels lie the same way on both sides.
    LayerCase(
      Shape(3, 2, 2), .conv(inputs: 3, outputs: 6, kernel: 2, stride: 2, padding: 0), .silu,
      .convTranspose(inputs: 6, outputs: 4, kernel: 3, stride: 1, padding: 0), .flatten,
      .silu),
    LayerCase(Shape(3, 2, 2)),
  ]

  static let products = linear + convolutions + transposedConvolutions
  static let all = products + elementwise + normalizations + mixtures
}

/// y of a plan, lanes × `count`.
func values(_ plan: any MapPlan, _ x: [Float], count: Int) -> [Float] {
  var y = [Float](repeating: .nan, count: count)
  var target = y.mutableSpan
  plan.apply(x.span, into: &target)
  return y
}

/// dx of a plan.
func cotangents(_ plan: any MapPlan, _ dy: [Float], count: Int) -> [Float] {
  var dx = [Float](repeating: .nan, count: count)
  var target = dx.mutableSpan
  plan.vjp(dy.span, into: &target)
  return dx
}

/// max |a − b| / (1 + max |b|): NaN anywhere gives infinity.
func deviation(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
  let scale = 1 + (b.map(abs).max() ?? 0)
  return (zip(a, b).map { abs(Double($0) - $1) }.max() ?? 0) / scale
}

func deviation(_ a: [Float], _ b: [Float]) -> Double { deviation(a, b.map(Double.init)) }
