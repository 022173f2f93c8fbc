import Inversion
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

/// 6×6 pictures of `rank` random directions, with a little noise.
private struct Directions: ImageSource {
  let shape = Shape(1, 6, 6)
  let count: Int
  let rank: Int
  var roundingVariance: Float { 0 }
  var sources: [Int]? { nil }
  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var stream = RandomKey(seed: 9).child(index).stream()
    for element in 0..<36 { target[element] = Float(0.5 + 0.01 * stream.normal()) }
    for direction in 0..<rank {
      var axis = RandomKey(seed: 10).child(direction).stream()
      let score = 0.1 * stream.normal()
      for element in 0..<36 { target[element] += Float(score * axis.normal()) }
    }
  }
}

/// Meant to catch: K chosen by the training pictures' likelihood (the largest); the split by tiles.
@Suite struct RecipeRequestTests {
  private func adapted(
    _ images: any ImageSource, _ change: (inout RecipeRequest) -> Void = { _ in }
  ) throws -> TrainingRecipe {
    var recipe = TrainingRecipe(name: "m", data: "d")
    var request = RecipeRequest()
    change(&request)
    try recipe.adapt(to: images, request)
    return recipe
  }

  @Test("a few pictures get a linear autoencoder with as many latents as they have directions")
  func choice() throws {
    let recipe = try adapted(Directions(count: 200, rank: 8))
    #expect(recipe.architecture == "linear" && recipe.latent == 8)
    #expect(recipe.symmetries == .none)
    #expect(recipe.autoencoder.batch == 16 && recipe.flow.batch == 32)
  }

  @Test("what is asked for stays")
  func asked() throws {
    let recipe = try adapted(Directions(count: 200, rank: 8)) {
      $0.latent = 3
      $0.epochs = 7
      $0.batch = 10
      $0.augmentation = .given(.turns)
    }
    #expect(recipe.architecture == "conv" && recipe.latent == 3 && recipe.autoencoder.epochs == 7)
    #expect(recipe.autoencoder.batch == 10 && recipe.symmetries == .turns)
  }

  @Test("the recipe of 55,000 pictures is the default one")
  func many() throws {
    let recipe = try adapted(Directions(count: 60_000, rank: 1))
    #expect(recipe == TrainingRecipe(name: "m", data: "d"))
  }

  @Test("a model of a few pictures is as good as principal components, and its record says so")
  func never() throws {
    let images = Spots(count: 120)
    let recipe = try adapted(images)
    let model = try ModelTrainer(
      images: images, recipe: recipe, version: "test", pool: WorkerPool(threads: 1)
    ).run(checkpoint: nil) { _ in true }
    let record = try #require(model?.description.training)
    let comparison = try #require(record.comparison)
    #expect(record.heldOutError <= 1.0001 * comparison.principalComponents)
    #expect(record.heldOutFlowLogLikelihood >= record.heldOutGaussianLogLikelihood - 1e-4)
    #expect(record.fault == nil && record.epochs == 0)
  }

  @Test("no file is on both sides of a split, and the number held out gives the same split again")
  func split() {
    let sources = (0..<200).map { $0 / 7 }
    let split = DataSplit(count: 200, heldOut: 20, seed: 3, sources: sources)
    #expect(Set(split.training + split.heldOut).count == 200 && split.heldOut.count >= 20)
    #expect(
      Set(split.training.map { sources[$0] }).isDisjoint(with: split.heldOut.map { sources[$0] }))
    let again = DataSplit(count: 200, heldOut: split.heldOut.count, seed: 3, sources: sources)
    #expect(again.heldOut == split.heldOut)
  }
}
