import Tensors

/// An encoder and a decoder by name.
public enum Architecture: String, CaseIterable, Sendable {
  /// Two strided convolutions of 32 and 64 channels and a linear layer of 256, SiLU: small and fast.
  case conv
  /// The paper's: convolutions of 64 and 128 channels, a linear layer of 1024, batch normalization.
  case infogan
  /// Linear layers of 512 and 256.
  case mlp
  /// One linear layer each way: what principal components are.
  case linear

  /// The layers for images of shape `image` (C×H×W) and `latent` codes.
  /// - Throws: when the image's height and width are not multiples of 4 (the two strides of 2).
  public func layers(
    image: Shape, latent: Int
  ) throws(ArchitectureError) -> (encoder: [LayerDescription], decoder: [LayerDescription]) {
    switch self {
    case .conv:
      return try Self.convolutional(
        image, latent, widths: (32, 64), hidden: 256, activation: .silu, normalized: false)
    case .infogan:
      return try Self.convolutional(
        image, latent, widths: (64, 128), hidden: 1024, activation: .leakyRelu(slope: 0.2),
        normalized: true)
    case .linear:
      return (
        [.flatten, .linear(inputs: image.count, outputs: latent)],
        [.linear(inputs: latent, outputs: image.count), .reshape(image)]
      )
    case .mlp:
      return (
        [
          .flatten, .linear(inputs: image.count, outputs: 512), .silu,
          .linear(inputs: 512, outputs: 256), .silu, .linear(inputs: 256, outputs: latent),
        ],
        [
          .linear(inputs: latent, outputs: 256), .silu, .linear(inputs: 256, outputs: 512), .silu,
          .linear(inputs: 512, outputs: image.count), .sigmoid, .reshape(image),
        ]
      )
    }
  }

  private static func convolutional(
    _ image: Shape, _ latent: Int, widths: (Int, Int), hidden: Int, activation: LayerDescription,
    normalized: Bool
  ) throws(ArchitectureError) -> ([LayerDescription], [LayerDescription]) {
    guard image.rank == 3, image[1] % 4 == 0, image[2] % 4 == 0, image[1] > 0, image[2] > 0 else {
      throw .imageNotDivisible(image, by: 4)
    }
    let (channels, height, width) = (image[0], image[1] / 4, image[2] / 4)
    let (narrow, wide) = widths
    let features = wide * height * width
    func down(_ inputs: Int, _ outputs: Int) -> LayerDescription {
      .conv(inputs: inputs, outputs: outputs, kernel: 4, stride: 2, padding: 1)
    }
    func up(_ inputs: Int, _ outputs: Int) -> LayerDescription {
      .convTranspose(inputs: inputs, outputs: outputs, kernel: 4, stride: 2, padding: 1)
    }
    func block(_ layer: LayerDescription, _ outputs: Int) -> [LayerDescription] {
      normalized ? [layer, .batchNorm(channels: outputs), activation] : [layer, activation]
    }
    let encoder =
      block(down(channels, narrow), narrow) + block(down(narrow, wide), wide) + [.flatten]
      + block(.linear(inputs: features, outputs: hidden), hidden)
      + [.linear(inputs: hidden, outputs: latent)]
    let decoder =
      block(.linear(inputs: latent, outputs: hidden), hidden)
      + block(.linear(inputs: hidden, outputs: features), features)
      + [.reshape(Shape(wide, height, width))] + block(up(wide, narrow), narrow)
      + [up(narrow, channels), .sigmoid]
    return (encoder, decoder)
  }
}

/// Why an architecture cannot be had for an image size.
public enum ArchitectureError: Error, Equatable, CustomStringConvertible {
  case imageNotDivisible(Shape, by: Int)

  public var description: String {
    switch self {
    case .imageNotDivisible(let image, let factor):
      "images of \(image.extents.last ?? 0)x\(image.rank > 1 ? image[image.rank - 2] : 0) pixels "
        + "do not fit this architecture: width and height must be multiples of \(factor); "
        + "crop or pad them, or choose --architecture mlp"
    }
  }
}
