import Flows

/// What kind of flow is fitted to the codes.
public enum FlowKind: String, CaseIterable, Sendable {
  /// Whitening, a few affine couplings, and one masked layer: each coordinate given the ones before is a
  /// mixture of Gaussians.
  case mixture
  /// Whitening, then masked affine layers, each in the opposite order of the one before.
  case maskedAffine = "masked-affine"
  /// Affine couplings.
  case affine
  /// Rational-quadratic spline couplings with conditioners of the same widths.
  case spline
  /// The sliced iterative flow, fitted layer by layer; the others are trained by gradient descent.
  case sliced

  /// Numbers that a kind goes with, unless others are asked for. Of the sliced flow, which reads none of
  /// them, those of the couplings.
  public struct Defaults: Sendable {
    /// Passes over the codes at most.
    public var epochs: Int
    /// Of the hidden layers, and how many: pairs of couplings, residual blocks, masked layers.
    public var width: Int
    public var blocks: Int
    /// Share of the hidden units dropped in a step.
    public var dropout: Double
    /// Noise on the codes, in standard deviations of each coordinate.
    public var jitter: Double
    /// The peak rate over that of the autoencoder.
    var rateShare: Double
  }

  public var defaults: Defaults {
    switch self {
    case .mixture:
      Defaults(epochs: 60, width: 384, blocks: 1, dropout: 0.15, jitter: 0.1, rateShare: 1)
    case .maskedAffine:
      Defaults(epochs: 24, width: 256, blocks: 3, dropout: 0.05, jitter: 0.05, rateShare: 0.5)
    case .affine, .spline, .sliced:
      Defaults(epochs: 24, width: 128, blocks: 4, dropout: 0.05, jitter: 0, rateShare: 0.5)
    }
  }

  /// Couplings: standardization, then blocks of a linear map and a pair of couplings, and a last linear
  /// map. Splines have four bins: on held-out codes of Fashion-MNIST, K = 40, that was 0.35 nats better than
  /// eight, which overfit. Chains need up to four times fewer steps on the smoother density of the affine
  /// ones.
  ///
  /// Sliced: whitening alone, to which layers are added.
  ///
  /// - Parameters: as in `Defaults`; `mixture`: read by `mixture` alone.
  package func layers(
    dimension: Int, width: Int, blocks: Int, mixture: MixtureOptions = MixtureOptions()
  ) -> [FlowLayerDescription] {
    let hidden = [width, width]
    func stack(_ coupling: (CouplingHalf) -> FlowLayerDescription) -> [FlowLayerDescription] {
      let pairs = (0..<blocks).flatMap { _ -> [FlowLayerDescription] in
        [.luLinear, coupling(.second), coupling(.first)]
      }
      return [.affine] + pairs + [.luLinear]
    }
    switch self {
    case .mixture:
      let couplings = (0..<(dimension > 1 ? mixture.couplings : 0)).map { index in
        FlowLayerDescription.affineCoupling(
          AffineCoupling(
            hidden: [128, 128], transforms: index % 2 == 0 ? .second : .first, maxLogScale: 2))
      }
      let masked = MaskedMixture(
        width: width, blocks: blocks, components: mixture.components, networks: mixture.networks)
      return [.whitening] + couplings + [.maskedMixture(masked)]
    case .maskedAffine:
      let layer = FlowLayerDescription.maskedAffine(MaskedAffine(width: width, blocks: 1))
      let next: [FlowLayerDescription] = [.permutation((0..<dimension).reversed()), layer]
      return [.whitening, layer] + (1..<max(blocks, 1)).flatMap { _ in next }
    case .affine:
      return stack {
        .affineCoupling(AffineCoupling(hidden: hidden, transforms: $0, maxLogScale: 2))
      }
    case .spline:
      return stack { .splineCoupling(SplineCoupling(bins: 4, hidden: hidden, transforms: $0)) }
    case .sliced: return [.affine, .luLinear]
    }
  }

}

/// What only `mixture` has.
public struct MixtureOptions: Sendable, Equatable {
  /// Gaussians of each coordinate, from each network.
  public var components = 6
  /// Networks whose densities are averaged. Each sees a share of every batch: two overfit less than one that is
  /// wider, and take as many more passes.
  public var networks = 2
  /// Affine couplings before the masked layer, with two hidden layers of 128.
  public var couplings = 4

  public init() {}
}

/// Which flow a recipe fits; what is nil is the kind's own.
public struct FlowRequest: Sendable, Equatable {
  public var kind: FlowKind
  /// Of `sliced`, at most.
  public var layers = TrainingRecipe.defaultFlowLayers
  /// See `FlowKind.Defaults`, as for those below.
  public var epochs: Int?
  public var width: Int?
  public var blocks: Int?
  public var dropout: Double?
  public var jitter: Double?
  /// Read by `mixture` alone.
  public var mixture = MixtureOptions()

  public init(
    _ kind: FlowKind, epochs: Int? = nil, width: Int? = nil, blocks: Int? = nil,
    layers: Int = TrainingRecipe.defaultFlowLayers
  ) {
    self.kind = kind
    (self.epochs, self.width, self.blocks, self.layers) = (epochs, width, blocks, layers)
  }
}

extension TrainingRecipe {
  public static let defaultFlowLayers = SlicedFlowTrainer.Options().layers

  /// The layers for today's K. Peak rate: a share of the autoencoder's, as it is now.
  public mutating func setFlow(_ request: FlowRequest) {
    let usual = request.kind.defaults
    flowLayers = request.kind.layers(
      dimension: latent, width: request.width ?? usual.width,
      blocks: request.blocks ?? usual.blocks, mixture: request.mixture)
    flow.epochs = request.epochs ?? usual.epochs
    flow.dropout = request.dropout ?? usual.dropout
    flow.jitter = request.jitter ?? usual.jitter
    flow.rate = autoencoder.rate * usual.rateShare
    sliced = nil
    guard request.kind == .sliced else { return }
    var options = SlicedFlowTrainer.Options()
    options.layers = request.layers
    sliced = options
  }
}
