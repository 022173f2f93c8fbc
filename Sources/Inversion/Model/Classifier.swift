import Foundation
import ImageFiles
import Networks
import Tensors

/// A small network that tells classes of pictures apart. It is used for its features: what enters its
/// last layer is where pictures are compared with pictures.
public struct Classifier: Sendable {
  public let description: ClassifierDescription
  /// One number a class; the largest is the class.
  public let network: Network
  /// The network without its last layer: D numbers of a picture.
  public let features: Network

  /// - Throws: `ModelError` when the parts do not fit one another.
  public init(description: ClassifierDescription, network: Network) throws(ModelError) {
    guard network.domain == description.image.shape else {
      throw .parts("the network takes \(network.domain)")
    }
    guard case .linear(_, description.classes)? = network.layers.last,
      let features = network.droppingLastLayer()
    else {
      throw .parts(
        "the network does not end with a linear layer of \(description.classes) outputs behind others"
      )
    }
    self.description = description
    self.network = network
    self.features = features
  }
}

/// The `config` of a classifier's file: everything but the weights.
public struct ClassifierDescription: Codable, Sendable, Equatable {
  public var name: String
  public var image: ModelDescription.Image
  public var classes: Int
  public var layers: [LayerDescription]
  public var training: ClassifierRecord?

  public init(
    name: String, image: ModelDescription.Image, classes: Int, layers: [LayerDescription],
    training: ClassifierRecord?
  ) {
    self.name = name
    self.image = image
    self.classes = classes
    self.layers = layers
    self.training = training
  }
}

/// How a classifier came to be. Accuracies are shares of pictures, 0 to 1.
public struct ClassifierRecord: Codable, Sendable, Equatable {
  public var data: String
  /// Pictures that the weights were fitted to, and pictures held out of them to choose the epoch.
  public var pictures: Int
  public var heldOut: Int
  public var seed: UInt64
  /// Epochs trained, and the one (from 1) whose weights are in the file.
  public var epochs: Int
  public var bestEpoch: Int
  /// Of files of earlier versions; a model holds nothing that differs from run to run.
  public private(set) var wallSeconds: Double?
  public var version: String
  public var heldOutAccuracy: Double
  /// Of pictures that had no part in the training, measured once at its end; nil where there are none.
  public var testAccuracy: Double?

  public init(
    data: String, pictures: Int, heldOut: Int, seed: UInt64, epochs: Int, bestEpoch: Int,
    version: String, heldOutAccuracy: Double, testAccuracy: Double? = nil
  ) {
    self.data = data
    self.pictures = pictures
    self.heldOut = heldOut
    self.seed = seed
    self.epochs = epochs
    self.bestEpoch = bestEpoch
    self.version = version
    self.heldOutAccuracy = heldOutAccuracy
    self.testAccuracy = testAccuracy
  }
}
