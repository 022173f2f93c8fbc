import Inversion

/// How few pictures a recipe can be trained on, and what decides it.
struct SmallestSet {
  /// Pictures that the weights are fitted to.
  let training: Int
  /// Those and the ones held out.
  let all: Int
  /// In the words of the options.
  let reason: String

  init(_ recipe: TrainingRecipe) {
    if recipe.objective.name == .ppca {
      // K directions and a variance left over need K + 1 differences from the mean.
      training = recipe.latent + 2
      all = training + 1
      reason =
        "\(recipe.latent) components with a rest (--latent) need \(training), and one is held out"
      return
    }
    let limits = [
      (recipe.latent + 1, "the Gaussian of \(recipe.latent) codes (--latent)"),
      (recipe.autoencoder.batch, "a step of the autoencoder (--batch)"),
      (recipe.sliced == nil ? recipe.flow.batch : 0, "a step of the flow (twice --batch)"),
    ]
    let largest = limits.max { $0.0 < $1.0 } ?? limits[0]
    training = largest.0
    // The least n with n − ⌊n/10⌋ of at least `training` and one held out.
    var count = max(training, 10)
    while count - count / 10 < training { count += 1 }
    all = count
    reason = "\(largest.1) needs \(training), and a tenth is held out; lower that option"
  }
}
