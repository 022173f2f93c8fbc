import Flows
import Inversion
import Randomness

/// Which of the paper's systems is trained, with its options.
public enum TrainingObjective: Codable, Sendable, Equatable {
  /// A plain autoencoder, then a flow on its codes.
  case pae
  /// A plain autoencoder, and the Gaussian fitted to its codes.
  case ae
  /// Probabilistic principal components, in closed form.
  case ppca
  /// `pixelDeviation`: s, intensity; nil where it is learned.
  case vae(pixelDeviation: Double?)
  case betaVAE(beta: Double, capacity: Double, pixelDeviation: Double)
  case flowVAE(pixelDeviation: Double?)
  /// `posteriorDeviation`: of each code about the encoder's, in units of the code.
  case beta0VAE(posteriorDeviation: Double)

  /// The paper's β and C (nats), for K = 32.
  public static let defaultBeta = 100.0
  public static let defaultCapacity = 15.0
  /// s of `beta-vae`: near the root of the mean squared error, .0129, that the paper's reaches. Under
  /// β = 100 the divergence is held to C whatever s is, within a factor of ten of this.
  public static let defaultPixelDeviation = 0.1
  /// Fresh encoders spread their codes over about one unit. The paper does not tell its own.
  public static let defaultPosteriorDeviation = 0.1

  /// What the model file says.
  public var name: ModelDescription.Objective {
    switch self {
    case .pae: .pae
    case .ae: .ae
    case .ppca: .ppca
    case .vae: .vae
    case .betaVAE: .betaVAE
    case .flowVAE: .flowVAE
    case .beta0VAE: .beta0VAE
    }
  }

  /// The options as the model file has them; nil where there are none.
  var record: ObjectiveRecord? {
    var record = ObjectiveRecord()
    switch self {
    case .pae, .ae: return nil
    case .ppca: record.isPixelDeviationLearned = true
    case .vae(let deviation), .flowVAE(let deviation):
      record.pixelDeviation = deviation
      record.isPixelDeviationLearned = deviation == nil
    case .betaVAE(let beta, let capacity, let deviation):
      record.beta = beta
      record.capacity = capacity
      record.pixelDeviation = deviation
      record.isPixelDeviationLearned = false
    case .beta0VAE(let deviation): record.posteriorDeviation = deviation
    }
    return record
  }
}

/// What training by gradient descent consists of.
struct TrainedSystem {
  /// Where the prior over codes comes from.
  enum CodePrior {
    /// Stage 2: a flow trained on the codes.
    case flow
    /// The Gaussian of the codes' mean and covariance.
    case gaussian
    /// N(0, I), which the objective pulled the codes to.
    case standardNormal
    /// A flow that was trained along.
    case jointFlow
  }

  let coding: any CodingObjective
  let prior: CodePrior
}

extension TrainingRecipe {
  /// Nil for `ppca`, which is not trained but computed.
  func system() throws(FlowError) -> TrainedSystem? {
    func variance(_ deviation: Double?) -> PixelVariance {
      deviation.map { .given(deviation: $0) } ?? .learned
    }
    switch objective {
    case .ppca: return nil
    case .pae: return TrainedSystem(coding: PlainCodes(), prior: .flow)
    case .ae: return TrainedSystem(coding: PlainCodes(), prior: .gaussian)
    case .beta0VAE(let deviation):
      return TrainedSystem(coding: NoisyCodes(deviation: deviation), prior: .flow)
    case .vae(let deviation):
      return TrainedSystem(
        coding: EvidenceBound(variance: variance(deviation)), prior: .standardNormal)
    case .betaVAE(let beta, let capacity, let deviation):
      return TrainedSystem(
        coding: CapacityBound(beta: beta, capacity: capacity, deviation: deviation),
        prior: .standardNormal)
    case .flowVAE(let deviation):
      let key = RandomKey(seed: seed).child("flow").child("parameters")
      let fresh = try NormalizingFlow(initializing: flowLayers, dimension: latent, key: key)
      return TrainedSystem(
        coding: FlowEvidenceBound(
          variance: variance(deviation), flow: JointFlow(fresh, options: flow)),
        prior: .jointFlow)
    }
  }
}
