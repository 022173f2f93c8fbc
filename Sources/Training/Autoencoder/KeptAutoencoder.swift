import Inversion

extension TrainingRecipe {
  /// Takes from a model all that its autoencoder decides: K, objective, seed and with it the pictures
  /// that are held out. What is left to train is the flow and the residual. An `ae`, which differs from
  /// a `pae` by its prior alone, becomes one.
  /// - Parameter digest: SHA-256 of the model file: a checkpoint goes on with the same one only.
  /// - Throws: `TrainingError.noRecord`; `.noFlowStage` where no flow is fitted to finished codes.
  public mutating func keepAutoencoder(of model: PAEModel, digest: String) throws(TrainingError) {
    let description = model.description
    guard let record = description.training, record.heldOut > 0, record.pictures > 0 else {
      throw .noRecord(name: description.name)
    }
    switch description.objective {
    case .pae, .ae: objective = .pae
    case .beta0VAE:
      objective = .beta0VAE(
        posteriorDeviation: record.objective?.posteriorDeviation
          ?? TrainingObjective.defaultPosteriorDeviation)
    case .ppca, .vae, .betaVAE, .flowVAE:
      throw .noFlowStage(name: description.name, objective: description.objective.rawValue)
    }
    latent = description.latent
    seed = record.seed
    heldOut = record.heldOut
    autoencoder.epochs = record.epochs
    keptAutoencoder = digest
  }
}
