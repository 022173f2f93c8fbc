import Flows
import Networks
import Tensors

/// The `config` of a model file: everything but the weights.
public struct ModelDescription: Codable, Sendable, Equatable {
  public struct Image: Codable, Sendable, Equatable {
    public var channels: Int
    public var height: Int
    public var width: Int

    public init(channels: Int, height: Int, width: Int) {
      self.channels = channels
      self.height = height
      self.width = width
    }

    /// C×H×W.
    public var shape: Shape { Shape(channels, height, width) }
  }

  /// What the model was trained for (README, "Training").
  public enum Objective: String, Codable, Sendable, CaseIterable {
    case pae
    case ae
    case ppca
    case vae
    case betaVAE = "beta-vae"
    case flowVAE = "flow-vae"
    case beta0VAE = "beta0-vae"

    /// Whether the encoder tells the variance of each code too: 2K outputs, K means and then K
    /// logarithms of variances.
    public var encodesVariances: Bool {
      switch self {
      case .vae, .betaVAE, .flowVAE: true
      case .pae, .ae, .ppca, .beta0VAE: false
      }
    }
  }

  public struct Residual: Codable, Sendable, Equatable {
    /// R, factors of the low-rank part of Σ; 0 for a diagonal Σ.
    public var rank: Int
    /// Mean and standard deviation of ln α over pictures, ε ~ N(0, α²Σ); nil for α = 1.
    public var logScaleMean: Double?
    public var logScaleDeviation: Double?
    /// The residual's variance as a function of the painted intensity; nil where the file has none.
    public var intensity: Intensity?

    /// J knots h_j at painted intensities (j/(J − 1))², the standard deviation of ln α there, and the
    /// variance of rounding that is added, nil for 0.
    public struct Intensity: Codable, Sendable, Equatable {
      public var knots: Int
      public var logScaleDeviation: Double
      public var rounding: Float?

      public init(knots: Int, logScaleDeviation: Double, rounding: Float? = nil) {
        self.knots = knots
        self.logScaleDeviation = logScaleDeviation
        self.rounding = rounding
      }
    }

    public init(
      rank: Int, logScaleMean: Double? = nil, logScaleDeviation: Double? = nil,
      intensity: Intensity? = nil
    ) {
      self.rank = rank
      self.intensity = intensity
      self.logScaleMean = logScaleMean
      self.logScaleDeviation = logScaleDeviation
    }
  }

  public var name: String
  public var image: Image
  /// K.
  public var latent: Int
  public var objective: Objective
  public var encoder: [LayerDescription]
  public var decoder: [LayerDescription]
  public var flow: [FlowLayerDescription]
  public var residual: Residual
  public var training: TrainingRecord?
  /// How scores of pictures are distributed over held-out training pictures; nil where that was not
  /// measured.
  public var scores: ScoreQuantiles?

  public init(
    name: String, image: Image, latent: Int, objective: Objective, encoder: [LayerDescription],
    decoder: [LayerDescription], flow: [FlowLayerDescription], residual: Residual,
    training: TrainingRecord?
  ) {
    self.name = name
    self.image = image
    self.latent = latent
    self.objective = objective
    self.encoder = encoder
    self.decoder = decoder
    self.flow = flow
    self.residual = residual
    self.training = training
  }
}

/// How a model came to be; for people and for remaking it.
public struct TrainingRecord: Codable, Sendable, Equatable {
  public var data: String
  /// Pictures that the weights were fitted to.
  public var pictures: Int
  /// Pictures held out of them for early stopping and the residual; never test pictures.
  public var heldOut: Int
  public var seed: UInt64
  public var epochs: Int
  /// The one of them, from 1, whose weights were kept: that of the smallest held-out error. nil where the
  /// last were.
  public var bestEpoch: Int?
  public var flowEpochs: Int
  /// Of files of earlier versions; a model holds nothing that differs from run to run.
  public private(set) var wallSeconds: Double?
  public var version: String
  /// Mean squared error per pixel on the held-out pictures.
  public var heldOutError: Double
  /// Mean ln p(z) in nats of the held-out codes, under the flow and under a fitted Gaussian.
  public var heldOutFlowLogLikelihood: Double
  public var heldOutGaussianLogLikelihood: Double
  /// Mean ln p(x − g(e(x))) in nats of a held-out picture under the residual's Σ and under its
  /// diagonal alone, each picture scored by a fit to the half of them that it is not in; nil in
  /// files of before there were factors.
  public var heldOutResidualLogLikelihood: Double?
  public var heldOutDiagonalResidualLogLikelihood: Double?
  /// Options and figures of the objective; nil where it has none.
  public var objective: ObjectiveRecord?
  /// In which positions training pictures were shown, `flips` or `turns`; nil for as they are.
  public var symmetries: String?
  /// Held-out errors of simpler things; nil in files that do not have it.
  public var comparison: Comparison?

  /// Mean squared error per pixel, on the pictures of `heldOutError`, of the mean picture, of K principal
  /// components of the training pictures, and of the posterior mean of probabilistic ones.
  public struct Comparison: Codable, Sendable, Equatable {
    public var meanPicture: Double
    public var principalComponents: Double
    public var probabilisticComponents: Double

    public init(
      meanPicture: Double, principalComponents: Double, probabilisticComponents: Double
    ) {
      self.meanPicture = meanPicture
      self.principalComponents = principalComponents
      self.probabilisticComponents = probabilisticComponents
    }
  }

  public init(
    data: String, pictures: Int, heldOut: Int, seed: UInt64, epochs: Int, flowEpochs: Int,
    version: String, heldOutError: Double, heldOutFlowLogLikelihood: Double,
    heldOutGaussianLogLikelihood: Double
  ) {
    self.data = data
    self.pictures = pictures
    self.heldOut = heldOut
    self.seed = seed
    self.epochs = epochs
    self.flowEpochs = flowEpochs
    self.version = version
    self.heldOutError = heldOutError
    self.heldOutFlowLogLikelihood = heldOutFlowLogLikelihood
    self.heldOutGaussianLogLikelihood = heldOutGaussianLogLikelihood
  }
}
