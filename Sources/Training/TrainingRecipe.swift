import Flows
import Networks
import Randomness

/// Everything that decides a trained model besides the pictures: the same recipe on the same pictures
/// gives the same model, whatever the number of threads.
public struct TrainingRecipe: Codable, Sendable, Equatable {
  /// Name written into the model file.
  public var name: String
  /// What the pictures are, for the record.
  public var data: String
  public var objective: TrainingObjective
  public var architecture: String
  /// Positions in which training pictures are shown.
  public var symmetries = Symmetries.none
  /// K.
  public var latent: Int
  public var seed: UInt64
  /// Pictures held out for early stopping and the residual: this many, at most a tenth of all.
  public var heldOut: Int
  package var autoencoder: AutoencoderTrainer.Options
  package var flow: FlowTrainer.Options
  public var flowLayers: [FlowLayerDescription]
  /// Whether the flow gives way to the Gaussian of the codes where held-out codes are likelier under that.
  public var allowsGaussian = true
  /// Of a sliced flow, which starts from `flowLayers`; nil for a flow trained by gradient descent.
  package var sliced: SlicedFlowTrainer.Options?
  /// SHA-256 of the model file whose autoencoder is kept; nil where stage 1 is trained.
  package var keptAutoencoder: String?

  public static let defaultEpochs = 30
  public static let defaultLearningRate = 2e-3

  /// The recipe of the default model.
  public init(
    name: String, data: String, objective: TrainingObjective = .pae,
    architecture: Architecture = .conv, latent: Int = 40,
    seed: UInt64 = 1, epochs: Int = TrainingRecipe.defaultEpochs,
    learningRate: Double = TrainingRecipe.defaultLearningRate
  ) {
    self.name = name
    self.data = data
    self.objective = objective
    self.architecture = architecture.rawValue
    self.latent = latent
    self.seed = seed
    heldOut = 5000
    autoencoder = .init()
    autoencoder.epochs = epochs
    autoencoder.rate = learningRate
    autoencoder.optimizer.weightDecay = 0.02
    flow = .init()
    flow.optimizer.weightDecay = 0.05
    flowLayers = []
    setFlow(FlowRequest(.mixture))
  }

  /// Batch sizes of both stages, each a multiple of two.
  public mutating func setBatch(autoencoder: Int, flow: Int) {
    self.autoencoder.batch = autoencoder
    self.flow.batch = flow
  }

}

/// Which of a set of pictures are trained on and which held out.
package struct DataSplit {
  package let training: [Int]
  package let heldOut: [Int]

  /// `heldOut` of `count` pictures, drawn by `seed`. With `sources`, files are drawn until at least so many
  /// pictures of them are held out, so that no file is on both sides; given that number the split is the
  /// same. Two files at most are no choice: then single pictures are drawn.
  package init(count: Int, heldOut: Int, seed: UInt64, sources: [Int]? = nil) {
    var stream = RandomKey(seed: seed).child("split").stream()
    guard let sources, Set(sources).count > 2 else {
      let order = stream.permutation(count)
      training = Array(order.dropFirst(heldOut))
      self.heldOut = Array(order.prefix(heldOut))
      return
    }
    let members = Dictionary(grouping: 0..<count) { sources[$0] }
    let files = members.keys.sorted()
    var taken = Set<Int>()
    var found = 0
    for place in stream.permutation(files.count).dropLast() where found < heldOut {
      taken.insert(files[place])
      found += members[files[place]]?.count ?? 0
    }
    training = (0..<count).filter { !taken.contains(sources[$0]) }
    self.heldOut = (0..<count).filter { taken.contains(sources[$0]) }
  }
}
