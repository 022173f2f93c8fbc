import ArgumentParser
import Inversion
import PAEInversion
import Problems
import Training

/// Which of the paper's systems `train` makes, and the options that only some of them have.
struct ObjectiveArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What to train: pae, ae, ppca, vae, beta-vae, flow-vae or beta0-vae.", valueName: "name"))
  var objective = ModelDescription.Objective.pae

  @Option(help: "beta-vae: weight β of |KL − C|. (default: 100)")
  var beta: Double?

  @Option(help: "beta-vae: the divergence C in nats that it is held to at the end. (default: 15)")
  var capacity: Double?

  @Option(
    help: ArgumentHelp(
      "vae, flow-vae, beta-vae: standard deviation of a pixel about the painted one. "
        + "(default: learned; beta-vae 0.1)", valueName: "s"))
  var pixelDeviation: Double?

  @Option(
    help: ArgumentHelp(
      "beta0-vae: standard deviation of a code about the encoder's. (default: 0.1)", valueName: "d")
  )
  var posteriorDeviation: Double?

  /// - Throws: `PipelineError` for an option of another objective, or out of its range.
  func value() throws -> TrainingObjective {
    try check("beta", beta, of: [.betaVAE], in: 0...1e6)
    try check("capacity", capacity, of: [.betaVAE], in: 0...1e6)
    try check(
      "pixel-deviation", pixelDeviation, of: [.vae, .flowVAE, .betaVAE], in: 1e-4...10)
    try check("posterior-deviation", posteriorDeviation, of: [.beta0VAE], in: 1e-6...1e3)
    switch objective {
    case .pae: return .pae
    case .ae: return .ae
    case .ppca: return .ppca
    case .vae: return .vae(pixelDeviation: pixelDeviation)
    case .flowVAE: return .flowVAE(pixelDeviation: pixelDeviation)
    case .betaVAE:
      return .betaVAE(
        beta: beta ?? TrainingObjective.defaultBeta,
        capacity: capacity ?? TrainingObjective.defaultCapacity,
        pixelDeviation: pixelDeviation ?? TrainingObjective.defaultPixelDeviation)
    case .beta0VAE:
      return .beta0VAE(
        posteriorDeviation: posteriorDeviation ?? TrainingObjective.defaultPosteriorDeviation)
    }
  }

  /// Whether no option of these was given, or the objective as it is without.
  var isDefault: Bool {
    objective == .pae && beta == nil && capacity == nil && pixelDeviation == nil
      && posteriorDeviation == nil
  }

  private func check(
    _ option: String, _ value: Double?, of owners: [ModelDescription.Objective],
    in range: ClosedRange<Double>
  ) throws {
    guard let value else { return }
    guard owners.contains(objective) else {
      throw PipelineError.usage(
        "--\(option) is an option of \(owners.map(\.rawValue).joined(separator: ", ")), "
          + "not of --objective \(objective.rawValue)")
    }
    guard range.contains(value) else {
      throw PipelineError.usage(
        "--\(option) must be \(range.lowerBound) to \(range.upperBound)")
    }
  }
}

extension ModelDescription.Objective: ExpressibleByArgument {}
