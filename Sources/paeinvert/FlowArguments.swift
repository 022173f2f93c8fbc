import ArgumentParser
import Inversion
import PAEInversion
import Problems
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
    /// Refuses an option that was given where nothing reads it, or out of its range.
    func check<Value>(
      _ name: String, _ value: Value?, of owner: String, _ isRead: Bool,
      in range: ClosedRange<Value>
    ) throws {
      guard let value else { return }
      try require(
        isRead,
        "\(name) is an option of \(owner), not of --flow \(flow.rawValue) with --objective "
          + objective.rawValue)
      try require(
        range.contains(value), "\(name) must be \(range.lowerBound) to \(range.upperBound)")
    }
    let (isSliced, fitted) = (flow == .sliced, "--flow affine, spline of pae, beta0-vae")
    let hasCouplings = !isSliced && (hasFlowStage || objective == .flowVAE)
    try check("--flow-blocks", flowBlocks, of: fitted + ", flow-vae", hasCouplings, in: 1...64)
    try check("--flow-width", flowWidth, of: fitted + ", flow-vae", hasCouplings, in: 1...4096)
    try check("--flow-dropout", flowDropout, of: fitted, hasFlowStage && !isSliced, in: 0...0.99)
    try check("--flow-jitter", flowJitter, of: fitted, hasFlowStage && !isSliced, in: 0...0.99)
    // A flow has 256 layers at most, and whitening takes two.
    try check("--flow-layers", flowLayers, of: "--flow sliced", isSliced, in: 1...254)
  }
}

extension FlowKind: ExpressibleByArgument {}
