import ArgumentParser
import Inversion
import PAEInversion
import Problems
import Training

/// Which flow `train` fits to the codes, and the options that only some kinds have.
struct FlowArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The flow on the codes: a masked network of mixtures or of affine maps, affine or spline couplings, "
        + "or sliced. (default: mixture; affine for flow-vae)", valueName: "kind"))
  var flow: FlowKind?

  @Option(
    help: ArgumentHelp(
      "All but sliced: passes over the codes for the flow, at most; it stops early. (default: "
        + "\(Self.usual { "\($0.epochs)" }))", valueName: "n"))
  var flowEpochs: Int?

  @Option(
    help: ArgumentHelp(
      "All but sliced: residual blocks of mixture, layers of masked-affine, pairs of couplings. "
        + "(default: \(Self.usual { "\($0.blocks)" }))", valueName: "n"))
  var flowBlocks: Int?

  @Option(
    help: ArgumentHelp(
      "All but sliced: units of each hidden layer. (default: \(Self.usual { "\($0.width)" }))",
      valueName: "units"))
  var flowWidth: Int?

  @Option(
    help: ArgumentHelp(
      "mixture: Gaussians of each coordinate. (default: \(MixtureOptions().components))",
      valueName: "n"))
  var flowComponents: Int?

  @Option(
    help: ArgumentHelp(
      "mixture: networks whose densities are averaged. (default: \(MixtureOptions().networks))",
      valueName: "n"))
  var flowNetworks: Int?

  @Option(
    help: ArgumentHelp(
      "mixture: affine couplings before the masked network. (default: "
        + "\(MixtureOptions().couplings))", valueName: "n"))
  var flowCouplings: Int?

  @Option(
    help: ArgumentHelp(
      "All but sliced: share of the hidden units dropped in a training step. (default: "
        + "\(Self.usual { "\($0.dropout)" }))", valueName: "share"))
  var flowDropout: Double?

  @Option(
    help: ArgumentHelp(
      "All but sliced: noise on the codes while training, in standard deviations. (default: "
        + "\(Self.usual { "\($0.jitter)" }))", valueName: "deviation"))
  var flowJitter: Double?

  @Option(
    help: ArgumentHelp(
      "sliced: layers at most; it stops early. (default: \(TrainingRecipe.defaultFlowLayers))",
      valueName: "n"))
  var flowLayers: Int?

  /// "16, 24 for masked-affine, affine, …": a default of every kind that is trained by gradient descent.
  private static func usual(_ value: (FlowKind.Defaults) -> String) -> String {
    FlowKind.allCases.filter { $0 != .sliced }
      .map { "\(value($0.defaults)) for \($0.rawValue)" }.joined(separator: ", ")
  }

  /// Whether each option is as it is without.
  var isDefault: Bool {
    flow == nil && flowEpochs == nil && flowLayers == nil && flowBlocks == nil && flowWidth == nil
      && flowComponents == nil && flowNetworks == nil && flowCouplings == nil && flowDropout == nil
      && flowJitter == nil
  }

  private func kind(_ objective: ModelDescription.Objective) -> FlowKind {
    flow ?? (objective == .flowVAE ? .affine : .mixture)
  }

  /// - Precondition: `check` did not throw.
  func request(_ objective: ModelDescription.Objective) -> FlowRequest {
    var request = FlowRequest(
      kind(objective), epochs: flowEpochs, width: flowWidth, blocks: flowBlocks)
    request.layers = flowLayers ?? request.layers
    (request.dropout, request.jitter) = (flowDropout, flowJitter)
    request.mixture.components = flowComponents ?? request.mixture.components
    request.mixture.networks = flowNetworks ?? request.mixture.networks
    request.mixture.couplings = flowCouplings ?? request.mixture.couplings
    return request
  }

  /// - Throws: `PipelineError` for an option of another kind of flow or objective, or out of its range.
  func check(_ objective: ModelDescription.Objective) throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw PipelineError.usage(message) }
    }
    let kind = kind(objective)
    let hasFlowStage = objective == .pae || objective == .beta0VAE
    try require(
      objective != .flowVAE || kind == .affine || kind == .spline,
      "--objective flow-vae trains its flow along, from the identity: --flow \(kind.rawValue) is not "
        + "for that; use affine or spline")
    try require(
      hasFlowStage || objective == .flowVAE || flow == nil,
      "--flow is an option of pae, beta0-vae, flow-vae, not of --objective \(objective.rawValue)")
    /// Refuses an option that was given where nothing reads it, or out of its range.
    func check<Value>(
      _ name: String, _ value: Value?, of owner: String, _ isRead: Bool,
      in range: ClosedRange<Value>
    ) throws {
      guard let value else { return }
      try require(
        isRead,
        "\(name) is an option of \(owner), not of --flow \(kind.rawValue) with --objective "
          + objective.rawValue)
      try require(
        range.contains(value), "\(name) must be \(range.lowerBound) to \(range.upperBound)")
    }
    let (isSliced, fitted) = (kind == .sliced, "every --flow but sliced of pae, beta0-vae")
    let isTrained = !isSliced && (hasFlowStage || objective == .flowVAE)
    let isFitted = !isSliced && hasFlowStage
    try check("--flow-epochs", flowEpochs, of: fitted, isFitted, in: 1...100_000)
    try check(
      "--flow-blocks", flowBlocks, of: fitted + ", flow-vae", isTrained,
      in: 1...(kind == .mixture ? 16 : 64))
    try check("--flow-width", flowWidth, of: fitted + ", flow-vae", isTrained, in: 1...4096)
    for (name, value, range) in [
      ("--flow-components", flowComponents, 1...64), ("--flow-networks", flowNetworks, 1...8),
      ("--flow-couplings", flowCouplings, 0...64),
    ] {
      try check(
        name, value, of: "--flow mixture of pae, beta0-vae", kind == .mixture && hasFlowStage,
        in: range)
    }
    try check("--flow-dropout", flowDropout, of: fitted, isFitted, in: 0...0.99)
    try check("--flow-jitter", flowJitter, of: fitted, isFitted, in: 0...0.99)
    // A flow has 256 layers at most, and whitening takes two.
    try check("--flow-layers", flowLayers, of: "--flow sliced", isSliced, in: 1...254)
  }
}

extension FlowKind: ExpressibleByArgument {}
