import Networks
import Tensors
import Testing

@Suite struct LayerDescriptionTests {
  private func codomain(_ domain: Shape, _ layer: LayerDescription) throws -> Shape {
    try Network.shapes(domain: domain, layers: [layer])[1]
  }

  /// Seen to fail: rounding up where a stride leaves a remainder.
  @Test("the shapes of outputs are those of the formulas' index ranges")
  func shapes() throws {
    let conv = LayerDescription.conv(inputs: 3, outputs: 8, kernel: 4, stride: 2, padding: 1)
    #expect(try codomain(Shape(3, 28, 31), conv) == Shape(8, 14, 15))
    let transposed = LayerDescription.convTranspose(
      inputs: 3, outputs: 8, kernel: 4, stride: 2, padding: 1)
    #expect(try codomain(Shape(3, 7, 5), transposed) == Shape(8, 14, 10))
    #expect(try codomain(Shape(2, 3), .reshape(Shape(6, 1))) == Shape(6, 1))
    #expect(try codomain(Shape(2, 3), .flatten) == Shape(6))
    #expect(try codomain(Shape(2, 3), .linear(inputs: 6, outputs: 4)) == Shape(4))
    #expect(try codomain(Shape(4, 2, 2), .batchNorm(channels: 4)) == Shape(4, 2, 2))
  }

  /// Whatever a description holds is refused with an error, never a trap.
  /// Seen to fail: a normalization over two axes, whose channels the kernels would take as last;
  /// `2 * padding` as an Int, which overflows.
  @Test(
    "what cannot take its input is refused",
    arguments: [
      (Shape(5), LayerDescription.linear(inputs: 6, outputs: 4)),
      (Shape(5), .linear(inputs: 5, outputs: 0)), (Shape(5), .linear(inputs: 5, outputs: -4)),
      (Shape(5), .linear(inputs: .max, outputs: .max)),
      (Shape(5), .linear(inputs: .min, outputs: .min)),
      (Shape(3, 4), .conv(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: 1)),
      (Shape(3, 4, 4), .conv(inputs: 2, outputs: 1, kernel: 3, stride: 1, padding: 1)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 5, stride: 1, padding: 0)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 3, stride: 0, padding: 1)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 0, stride: 1, padding: 0)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: 3)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: -1)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: .max)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: .max, kernel: .max, stride: .max, padding: .max)),
      (Shape(3, 4, 4), .conv(inputs: 3, outputs: .min, kernel: .min, stride: .min, padding: .min)),
      (
        Shape(3, 4, 4),
        .convTranspose(inputs: 3, outputs: .max, kernel: .max, stride: .max, padding: .max)
      ),
      (Shape(3, 1, 1), .convTranspose(inputs: 3, outputs: 1, kernel: 3, stride: 1, padding: 2)),
      (Shape(3, 4, 4), .convTranspose(inputs: 3, outputs: 1, kernel: 3, stride: 65, padding: 1)),
      (Shape(5), .batchNorm(channels: 4)), (Shape([]), .batchNorm(channels: 1)),
      (Shape(5), .batchNorm(channels: .max)), (Shape(5), .batchNorm(channels: -5)),
      (Shape(3, 4), .batchNorm(channels: 3)), (Shape(3, 4, 2, 2), .batchNorm(channels: 3)),
      (Shape(5), .dropout(rate: 1)), (Shape(5), .dropout(rate: -0.1)),
      (Shape(5), .dropout(rate: .nan)), (Shape(5), .leakyRelu(slope: .infinity)),
      (Shape(5), .reshape(Shape(2, 3))), (Shape(1 << 29), .silu),
    ])
  func refused(_ domain: Shape, _ layer: LayerDescription) {
    #expect(throws: NetworkError.self) { try codomain(domain, layer) }
  }

  /// Few weights and a modest picture, but more columns than fit in memory.
  /// Seen to fail: columns left out of the bound of the size.
  @Test("layers whose work would not fit in memory are refused")
  func tooLarge() {
    for layer in [
      LayerDescription.conv(inputs: 3, outputs: 1, kernel: 64, stride: 1, padding: 32),
      .convTranspose(inputs: 3, outputs: 64, kernel: 64, stride: 64, padding: 0),
      .convTranspose(inputs: 3, outputs: 3, kernel: 64, stride: 1, padding: 0),
    ] {
      #expect(throws: NetworkError.tooLarge) { try codomain(Shape(3, 1024, 1024), layer) }
    }
    #expect(throws: NetworkError.tooLarge) {
      try codomain(Shape(1 << 14), .linear(inputs: 1 << 14, outputs: 1 << 15))
    }
  }
}
