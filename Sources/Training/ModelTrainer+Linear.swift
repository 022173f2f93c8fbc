import Inversion
import Networks

extension ModelTrainer {
  /// The autoencoder of architecture `linear`: principal components, in closed form; nil for another
  /// architecture or an objective that is more than least squares.
  func linearAutoencoder() throws -> TrainedNetworks? {
    guard recipe.architecture == Architecture.linear.rawValue,
      recipe.objective == .pae || recipe.objective == .ae
    else { return nil }
    let components = PrincipalComponents(
      SymmetricImages(ImageSubset(images, split.training), recipe.symmetries), count: recipe.latent)
    guard components.count == recipe.latent else {
      throw TrainingError.noComponents(
        "the pictures vary in \(components.count) directions, not \(recipe.latent)")
    }
    let (encoder, decoder) = try components.networks(image: images.shape, latent: recipe.latent)
    return TrainedNetworks(encoder: encoder, codes: encoder, decoder: decoder, flow: nil)
  }

  /// The held-out errors of what is simpler than the model; nil where the pictures have not K components.
  func comparison() -> TrainingRecord.Comparison? {
    let components = PrincipalComponents(
      ImageSubset(images, split.training), count: recipe.latent)
    guard components.count == recipe.latent, recipe.latent < components.size else { return nil }
    let trial = components.trial(on: ImageSubset(images, split.heldOut))
    return .init(
      meanPicture: trial.meanPictureError, principalComponents: trial.error(recipe.latent),
      probabilisticComponents: trial.probabilisticError(recipe.latent))
  }
}
