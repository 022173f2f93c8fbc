import Foundation
import Sampling
import Tiles

/// What the solvers are asked for; the defaults are the command line's.
public struct SolveOptions: Sendable, Equatable {
  /// Whether data at the ends of the range are censored.
  public enum Clipping: String, Sendable, CaseIterable {
    /// When they pile up there.
    case auto
    case yes
    case no
  }

  /// Whether the decoder's own error ε ~ N(0, Σ) is part of the model.
  public enum Residual: String, Sendable, CaseIterable {
    /// By intensity where data are pixels of the picture with independent noise and the model has it;
    /// else full where its factors can be integrated out, and diagonal where they would have to be
    /// sampled: data clipped at the ends of the range, or pictures that differ in depth, range or mask.
    case auto
    /// Independent elements whose variance depends on the painted intensity.
    case intensity
    /// The whole covariance Σ.
    case full
    /// The variances on Σ's diagonal.
    case diagonal
    case none
  }

  /// The coordinates that are searched and sampled. The posterior of the picture is the same.
  public enum Space: String, Sendable, CaseIterable {
    /// Base variables, whose prior is N(0, I).
    case u
    /// The autoencoder's codes, whose prior is the flow's density: rounder, so faster.
    case z
  }

  /// Whether a prior on tiles is adapted to the picture.
  public enum Adaptation: String, Sendable, CaseIterable {
    /// As the quality does.
    case auto
    case off
  }

  public enum Method: String, Sendable, CaseIterable {
    /// The most probable picture alone.
    case map
    /// Hamiltonian Monte Carlo of jittered fixed length.
    case hmc
    /// The No-U-Turn sampler.
    case nuts
    /// Hamiltonian Monte Carlo whose chains tune the length of their trajectories together.
    case chees
    /// Exact draws of the Gaussian that touches the posterior at its heaviest mode.
    case laplace
    /// Weighted draws of a mixture of such Gaussians; the No-U-Turn sampler where the weights fail.
    case mixture
    /// Draws of the prior carried to the posterior by tempering.
    case smc

    /// The acceptance that each is best at, unless another is asked for.
    package var recommendedAcceptance: Double {
      self == .chees ? CheesHamiltonianMonteCarlo.recommendedAcceptance : 0.8
    }
  }

  public var model = ModelLocator.defaultName
  /// Why this model, where the picture decided; nil where it was asked for.
  public var modelReason: String?
  /// How much work goes into an answer of a prior on tiles; nil for what suits the picture's size.
  public var quality: TileOptions.Quality?
  /// Whether a prior on tiles is adapted to the picture; nil for what the quality does.
  public var adapts: Bool?
  /// The light's way from picture to data, the first step acting first.
  public var operators: [ForwardStep] = []
  public var noise = NoiseOptions()
  public var clipping = Clipping.auto
  /// What in the data is black and white; nil for what the files' types say.
  public var range: DataRange.Choice?
  public var maskReading = Mask.Reading()
  public var residual = Residual.auto
  /// Whether the size of the residual in this picture is inferred, where the model says how it varies.
  package var isResidualScaleInferred = true
  public var method = Method.nuts
  public var space = Space.z
  public var chains = 16
  public var draws = 500
  public var warmup = 300
  /// nil for what suits the method.
  public var targetAcceptance: Double?
  public var seed: UInt64 = 1
  public var threads: Int
  /// Pictures drawn for `samples/`.
  public var samples = 16
  public var overwrite = false
  /// Lanes evaluated by one worker at a time; nil for a good choice.
  package var lanesPerBlock: Int?

  public init(threads: Int) { self.threads = threads }

  /// - Throws: `PipelineError.usage` for the first value that makes no sense.
  public func validate() throws(PipelineError) {
    func require(_ condition: Bool, _ message: String) throws(PipelineError) {
      if !condition { throw .usage(message) }
    }
    try noise.validate()
    try require((1...1024).contains(chains), "--chains must be 1 to 1024")
    try require((1...1_000_000).contains(draws), "--draws must be 1 to 1000000")
    try require((0...1_000_000).contains(warmup), "--warmup must be 0 to 1000000")
    try require(
      chains * draws <= 20_000_000, "--chains times --draws must be at most 20 million")
    try require(
      targetAcceptance.map { $0 > 0 && $0 < 1 } ?? true, "--target-accept must lie between 0 and 1")
    try require((1...256).contains(threads), "--threads must be 1 to 256")
    try require((0...10_000).contains(samples), "--samples must be 0 to 10000")
    try require(
      method == .map || chains * draws >= max(samples, 1),
      "--samples cannot exceed the number of draws")
  }
}

/// One picture to solve.
public struct SolveTask: Sendable, Equatable {
  /// A PNG, or "-" for standard input.
  public var image: String
  /// Where the results go.
  public var output: String
  /// White = observed; nil when every pixel is.
  public var mask: String?
  /// Whether numbers that are not finite mean missing; else they are refused.
  public var allowsMissing = true
  /// Whether transparent pixels are missing.
  public var isTransparentMissing = false
  /// The picture before the damage, when it is known.
  public var truth: String?

  public init(
    image: String, output: String, mask: String? = nil, truth: String? = nil,
    allowsMissing: Bool = true, isTransparentMissing: Bool = false
  ) {
    self.allowsMissing = allowsMissing
    self.isTransparentMissing = isTransparentMissing
    self.image = image
    self.output = output
    self.mask = mask
    self.truth = truth
  }

  /// A result folder beside a picture: its path without its ending, and a suffix.
  public static func defaultOutput(_ image: String, suffix: String) -> String {
    if image == "-" { return "stdin." + suffix }
    let isKnown = [".png", ".jpg", ".jpeg", ".npy"].contains { image.lowercased().hasSuffix($0) }
    return (isKnown ? (image as NSString).deletingPathExtension : image) + "." + suffix
  }
}

/// What a pipeline is doing, for a line of progress.
public struct SolveProgress: Sendable {
  public enum Stage: String, Sendable {
    case modes = "finding modes"
    case sampling
    case pictures
    case adapting = "adapting to the picture"
    case averaging = "averaging tiles"
    case bestPicture = "the best picture"
    case drawing = "drawing pictures"
  }
  public let stage: Stage
  /// 0 to 1 within the stage.
  public let fraction: Double
  public let divergences: Int

  package init(stage: Stage, fraction: Double, divergences: Int) {
    self.stage = stage
    self.fraction = fraction
    self.divergences = divergences
  }
}
