import LawCheckers
import Networks
import Randomness
import Tensors
import Testing

@Suite struct ArchitectureTests {
  @Test(
    "the decoder of the encoder's code has the picture's shape",
    arguments: Architecture.allCases, [Shape(1, 28, 28), Shape(3, 32, 32), Shape(3, 64, 64)])
  func shapes(_ architecture: Architecture, _ image: Shape) throws {
    let layers = try architecture.layers(image: image, latent: 10)
    let encoder = try Network(domain: image, layers: layers.encoder, key: RandomKey(seed: 1))
    let decoder = try Network(domain: Shape(10), layers: layers.decoder, key: RandomKey(seed: 2))
    #expect(encoder.codomain == Shape(10))
    #expect(decoder.codomain == image)
    let pictures = random(2 * image.count, seed: 3)
    let codes = values(try encoder.makePlan(lanes: 2), pictures, count: 20)
    let decoded = values(try decoder.makePlan(lanes: 2), codes, count: pictures.count)
    #expect(codes.allSatisfy { $0.isFinite })
    // Those of principal components may leave the range.
    #expect(architecture == .linear || decoded.allSatisfy { $0 > 0 && $0 < 1 })
    #expect(decoded.prefix(image.count) != decoded.suffix(image.count))
  }

  @Test("the widths are those of the descriptions")
  func widths() throws {
    let conv = try Architecture.conv.layers(image: Shape(1, 28, 28), latent: 10)
    #expect(conv.encoder[0] == .conv(inputs: 1, outputs: 32, kernel: 4, stride: 2, padding: 1))
    #expect(!conv.encoder.contains(.batchNorm(channels: 32)))
    let infogan = try Architecture.infogan.layers(image: Shape(3, 32, 32), latent: 10)
    #expect(infogan.encoder.contains(.linear(inputs: 128 * 64, outputs: 1024)))
    #expect(infogan.decoder.contains(.batchNorm(channels: 1024)))
    #expect(infogan.decoder.last == .sigmoid)
  }

  @Test("pictures whose sides are not multiples of 4 need the mlp, and the message says so")
  func notDivisible() throws {
    for architecture in [Architecture.conv, .infogan] {
      for image in [Shape(1, 30, 28), Shape(1, 28, 30), Shape(784), Shape(1, 0, 28)] {
        #expect(throws: ArchitectureError.imageNotDivisible(image, by: 4)) {
          try architecture.layers(image: image, latent: 10)
        }
      }
    }
    let layers = try Architecture.mlp.layers(image: Shape(1, 29, 31), latent: 3)
    let decoder = try Network(domain: Shape(3), layers: layers.decoder, key: RandomKey(seed: 1))
    #expect(decoder.codomain == Shape(1, 29, 31))
    #expect(
      ArchitectureError.imageNotDivisible(Shape(1, 30, 27), by: 4).description
        == "images of 27x30 pixels do not fit this architecture: width and height must be "
        + "multiples of 4; crop or pad them, or choose --architecture mlp")
  }
}
