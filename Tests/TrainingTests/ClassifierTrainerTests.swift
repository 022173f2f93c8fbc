import Inversion
import Networks
import Numerics
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

@Suite struct ClassifierTrainerTests {
  private static let images = Spots(count: 400)

  /// Whether the brightest pixel is in the left, middle or right of the picture.
  private static let labels: [UInt8] = (0..<images.count).map { index in
    let picture = FloatBuffer(64)
    images.copy(index, into: picture.pointer)
    let brightest = (0..<64).max { picture.pointer[$0] < picture.pointer[$1] }!
    return UInt8(brightest % 8 / 3)
  }

  private func recipe(epochs: Int = 8) -> ClassifierRecipe {
    var recipe = ClassifierRecipe(name: "spots", data: "spots", seed: 2, epochs: epochs)
    recipe.batch = 32
    recipe.features = 12
    return recipe
  }

  private func classifier(
    threads: Int, labels: [UInt8] = labels, recipe: ClassifierRecipe
  ) throws -> Classifier? {
    try ClassifierTrainer(
      images: Self.images, labels: labels, recipe: recipe, version: "v",
      pool: WorkerPool(threads: threads)
    ).run { _ in true }
  }

  /// Fails when: labels are taken in the order of the file and not of the batch, or the held-out
  /// accuracy is that of the training pictures or of another epoch.
  @Test("it learns, and the record's accuracy is that of the held-out pictures")
  func learns() throws {
    let trained = try #require(try classifier(threads: 2, recipe: recipe()))
    let record = try #require(trained.description.training)
    #expect(record.pictures == 360 && record.heldOut == 40 && record.epochs == 8)
    #expect((1...8).contains(record.bestEpoch) && record.version == "v")
    #expect(record.heldOutAccuracy >= 0.85, "\(record)")
    #expect(trained.description.classes == 3 && trained.features.codomain == Shape(12))
    let split = DataSplit(count: 400, heldOut: 40, seed: 2)
    let measured = try ClassifierMeasurements(
      ImageSubset(Self.images, split.heldOut), labels: split.heldOut.map { Self.labels[$0] },
      network: trained.network, pool: WorkerPool(threads: 1))
    #expect(measured.accuracy == record.heldOutAccuracy)
    #expect(measured.crossEntropy < 0.6)
  }

  /// With labels without sense the accuracy of epochs goes up and down. Fails when: the last epoch is kept.
  @Test("the kept epoch is the best of all")
  func best() throws {
    var stream = RandomKey(seed: 7).stream()
    let labels = (0..<400).map { _ in UInt8(stream.index(below: 2)) }
    var long = recipe(epochs: 6)
    long.rate = 1e-2
    let trainer = try ClassifierTrainer(
      images: Self.images, labels: labels, recipe: long, version: "v",
      pool: WorkerPool(threads: 1))
    let trained = try #require(try trainer.run { _ in true })
    let record = try #require(trained.description.training)
    let accuracies = trainer.heldOutAccuracies
    #expect(accuracies.count == 6 && accuracies.last! < accuracies.max()!, "\(accuracies)")
    #expect(record.heldOutAccuracy == accuracies.max())
    #expect(record.bestEpoch == 1 + accuracies.firstIndex(of: accuracies.max()!)!)
  }

  @Test("the weights do not depend on the number of threads, and do on the seed")
  func threads() throws {
    let runs = try [1, 2, 3].map {
      try #require(try classifier(threads: $0, recipe: recipe(epochs: 2))).network.parameters
    }
    #expect((runs[0] == runs[1]) == true)
    #expect((runs[0] == runs[2]) == true)
    var other = recipe(epochs: 2)
    other.seed = 3
    let second = try #require(try classifier(threads: 1, recipe: other)).network.parameters
    #expect((second == runs[0]) == false)
  }

  @Test("labels that do not fit and too few pictures are refused; a report of false stops")
  func refusals() throws {
    #expect(throws: TrainingError.self) {
      try classifier(threads: 1, labels: [0, 1], recipe: recipe())
    }
    #expect(throws: TrainingError.labels("all of them are 0")) {
      try classifier(
        threads: 1, labels: [UInt8](repeating: 0, count: 400), recipe: recipe())
    }
    var large = recipe()
    large.batch = 512
    #expect(throws: TrainingError.self) { try classifier(threads: 1, recipe: large) }
    let trainer = try ClassifierTrainer(
      images: Self.images, labels: Self.labels, recipe: recipe(), version: "v",
      pool: WorkerPool(threads: 1))
    let stopped = try trainer.run { $0.step < 2 }
    #expect(stopped == nil)
  }
}
