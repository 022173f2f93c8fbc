import ArgumentParser
import Inversion
import PAEInversion
import Training

/// Which flow `train` fits to the codes, and the options that only some kinds have.
struct FlowArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The flow on the codes: affine or spline couplings, or sliced.", valueName: "kind"))
  var flow = FlowKind.affine

  @Option(
    help: "affine, spline: passes over the codes for the flow, at most; it stops early.")
  var flowEpochs = TrainingRecipe.defaultFlowEpochs

  @Option(
    help: ArgumentHelp(
      "affine, spline: how many pairs of couplings. (default: \(TrainingRecipe.defaultFlowBlocks))",
      valueName: "n"))
  var flowBlocks: Int?

  @Option(
    help: ArgumentHelp(
      "affine, spline: units of each of the two hidden layers of a coupling's network. (default: "
        + "\(TrainingRecipe.defaultFlowWidth))", valueName: "units"))
  var flowWidth: Int?

  @Option(
    help: ArgumentHelp(
      "affine, spline: share of the hidden units dropped in a training step. (default: "
        + "\(TrainingRecipe.defaultFlowDropout))", valueName: "share"))
  var flowDropout: Double?

  @Option(
    help: ArgumentHelp(
      "affine, spline: noise on the codes while training, in standard deviations. (default: 0)",
      valueName: "deviation"))
  var flowJitter: Double?

  @Option(
    help: ArgumentHelp(
      "sliced: layers at most; it stops early. (default: \(TrainingRecipe.defaultFlowLayers))",
      valueName: "n"))
  var flowLayers: Int?

  /// Whether each option is as it is without.
  var isDefault: Bool {
    flow == .affine && flowEpochs == TrainingRecipe.defaultFlowEpochs && flowLayers == nil
      && flowBlocks == nil && flowWidth == nil && flowDropout == nil && flowJitter == nil
  }

  /// - Throws: `PipelineError` for an option of another kind of flow or objective, or out of its range.
  func check(_ objective: ModelDescription.Objective) throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw PipelineError.usage(message) }
    }
    try require((1...100_000).contains(flowEpochs), "--flow-epochs must be 1 to 100000")
    let hasFlowStage = objective == .pae || objective == .beta0VAE
    let hasEpochs = flowEpochs != TrainingRecipe.defaultFlowEpochs
    try require(
      hasFlowStage || !hasEpochs,
      "--flow-epochs is an option of pae, beta0-vae: --objective \(objective.rawValue) trains no "
        + "flow on finished codes")
    try require(
      objective != .flowVAE || flow != .sliced,
      "--objective flow-vae trains its flow along by gradient descent, as --flow sliced is not: "
        + "use affine or spline")
    try require(
      hasFlowStage || objective == .flowVAE || flow == .affine,
      "--flow is an option of pae, beta0-vae, flow-vae, not of --objective \(objective.rawValue)")
    try require(
      flow != .sliced || !hasEpochs,
      "--flow-epochs is an option of --flow affine, spline: sliced has layers, see --flow-layers")
    for (name, value, largest) in [
      ("--flow-blocks", flowBlocks, 64), ("--flow-width", flowWidth, 4096),
    ] {
      guard let value else { continue }
      try require(
        (hasFlowStage || objective == .flowVAE) && flow != .sliced,
        "\(name) is an option of --flow affine, spline: leave it out")
      try require((1...largest).contains(value), "\(name) must be 1 to \(largest)")
    }
    for (name, value) in [("--flow-dropout", flowDropout), ("--flow-jitter", flowJitter)] {
      guard let value else { continue }
      try require(
        hasFlowStage && flow != .sliced,
        "\(name) is an option of --flow affine, spline of pae, beta0-vae: leave it out")
      try require(value >= 0 && value < 1, "\(name) must be at least 0 and below 1")
    }
    guard let flowLayers else { return }
    try require(
      flow == .sliced, "--flow-layers is an option of --flow sliced, not of \(flow.rawValue)")
    // A flow has 256 layers at most, and whitening takes two.
    try require((1...254).contains(flowLayers), "--flow-layers must be 1 to 254")
  }
}

extension FlowKind: ExpressibleByArgument {}
