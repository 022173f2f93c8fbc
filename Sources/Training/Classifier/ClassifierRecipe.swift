import Networks
import Tensors

/// Everything that decides a classifier besides pictures and labels: the same recipe gives the same
/// weights, whatever the number of threads.
public struct ClassifierRecipe: Sendable, Equatable {
  public static let defaultEpochs = 15

  /// Name written into the file.
  public var name: String
  /// What the pictures are, for the record.
  public var data: String
  public var seed: UInt64
  public var epochs: Int
  /// Pictures of one step, a multiple of the shards.
  public var batch = 128
  /// Peak learning rate.
  public var rate = 2e-3
  /// Pictures held out to choose the epoch: this many, at most a tenth of all.
  public var heldOut = 5000
  /// D, the numbers that enter the last layer.
  public var features = 128
  package var optimizer: Optimizer.Options
  /// Parts of a batch, computed apart.
  package let shards = 2
  package let warmupSteps = 200

  public init(
    name: String, data: String, seed: UInt64 = 1, epochs: Int = ClassifierRecipe.defaultEpochs
  ) {
    self.name = name
    self.data = data
    self.seed = seed
    self.epochs = epochs
    optimizer = .init()
    optimizer.weightDecay = 0.05
  }

  /// Three convolutions, of which two halve the picture, and two linear layers, with batch
  /// normalization and rectifiers; dropout before each linear layer.
  /// - Throws: when the picture's height and width are not multiples of 4.
  package func layers(image: Shape, classes: Int) throws(ArchitectureError) -> [LayerDescription] {
    guard image.rank == 3, image[1] % 4 == 0, image[2] % 4 == 0 else {
      throw .imageNotDivisible(image, by: 4)
    }
    func block(_ layer: LayerDescription, _ outputs: Int) -> [LayerDescription] {
      [layer, .batchNorm(channels: outputs), .relu]
    }
    let halving = { (inputs: Int, outputs: Int) in
      LayerDescription.conv(inputs: inputs, outputs: outputs, kernel: 4, stride: 2, padding: 1)
    }
    return block(halving(image[0], 32), 32) + block(halving(32, 64), 64)
      + block(.conv(inputs: 64, outputs: 64, kernel: 3, stride: 1, padding: 1), 64)
      + [.flatten, .dropout(rate: 0.3)]
      + block(.linear(inputs: 4 * image[1] * image[2], outputs: features), features)
      + [.dropout(rate: 0.3), .linear(inputs: features, outputs: classes)]
  }
}
