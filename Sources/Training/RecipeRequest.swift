import Inversion
import Maps
import Networks
import Numerics

/// What of a recipe is asked for; what is nil follows from the pictures.
public struct RecipeRequest: Sendable, Equatable {
  /// K.
  public var latent: Int?
  public var architecture: Architecture?
  public var epochs: Int?
  public var batch: Int?
  public var augmentation = Augmentation.auto
  public var flow = FlowRequest(.mixture)
  /// Whether the flow may give way to a Gaussian that tells held-out codes better.
  public var allowsGaussian = true

  public init() {}
}

extension TrainingRecipe {
  /// With fewer pictures the autoencoder is linear. Of 400 crops of photographs the nonlinear one with its
  /// 30 epochs left a held-out error of .051, 96 principal components .0035. Where between that and the
  /// 55,000 pictures of clothes the nonlinear one begins to pay has not been measured.
  static let fewPictures = 10_000
  /// Numbers of components that are tried, at most half of the pictures. With 256 the
  /// marginal likelihoods of 100 held-out pictures took over ten minutes, O(K²) for every draw.
  private static let latents = [1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96]
  private static let largestBatch = 128
  /// Steps of gradient descent at least, where the passes over the pictures are not given: those that a
  /// few pictures need to be learned at all, and at most so many passes.
  private static let (fewestSteps, fewestFlowSteps) = (6000, 2000)
  private static let mostEpochs = 400

  /// Fills in what `request` leaves open: batch and passes by the number of pictures, K and the pictures'
  /// symmetries of a linear autoencoder by the held-out likelihood of probabilistic components.
  /// - Throws: `TrainingError.tooFewPictures`, or `.noComponents` where pictures are all alike.
  public mutating func adapt(
    to images: any ImageSource, _ request: RecipeRequest
  ) throws(TrainingError) {
    let split = split(of: images)
    guard split.training.count >= 2, !split.heldOut.isEmpty else {
      throw .tooFewPictures(
        found: images.count, needed: 10, reason: "a tenth of them is held out")
    }
    setFlow(request.flow)
    allowsGaussian = request.allowsGaussian
    adaptSteps(pictures: split.training.count, request)
    guard keptAutoencoder == nil else { return }
    defer {
      // Its layers are those of K, its passes those of the pictures.
      let epochs = flow.epochs
      setFlow(request.flow)
      flow.epochs = epochs
    }
    let isPlain = objective == .pae || objective == .ae
    let isLinear =
      request.architecture.map { $0 == .linear }
      ?? (isPlain && request.epochs == nil && split.training.count < Self.fewPictures)
    architecture = (request.architecture ?? (isLinear ? .linear : .conv)).rawValue
    let training = ImageSubset(images, split.training)
    let choice = try ComponentChoice(
      training: training, heldOut: ImageSubset(images, split.heldOut),
      latents: request.latent.map { [$0] }
        ?? (isLinear && isPlain
          ? Self.latents.filter { $0 <= split.training.count / 2 && $0 < images.shape.count }
          : [latent]),
      symmetries: isLinear && isPlain ? request.augmentation : .given(request.symmetries))
    latent = choice.latent
    symmetries = choice.symmetries
  }

  private mutating func adaptSteps(pictures: Int, _ request: RecipeRequest) {
    var batch = 2
    while 2 * batch <= min(pictures / 10, Self.largestBatch) { batch *= 2 }
    batch = request.batch ?? batch
    setBatch(autoencoder: batch, flow: 2 * batch)
    func passes(_ steps: Int, batch: Int) -> Int {
      let each = max(pictures / batch, 1)
      return min(Self.mostEpochs, (steps + each - 1) / each)
    }
    if keptAutoencoder == nil {
      autoencoder.epochs =
        request.epochs ?? max(Self.defaultEpochs, passes(Self.fewestSteps, batch: batch))
    }
    flow.epochs =
      request.flow.epochs ?? max(flow.epochs, passes(Self.fewestFlowSteps, batch: 2 * batch))
  }

  /// The split that a training by this recipe makes.
  /// In closed form as few are held out as leave enough to compute from; else a tenth.
  func split(of images: any ImageSource) -> DataSplit {
    let tenth = min(heldOut, images.count / 10)
    let left = images.count - SmallestSet(self).training
    return DataSplit(
      count: images.count, heldOut: objective.name == .ppca ? max(1, min(tenth, left)) : tenth,
      seed: seed, sources: images.sources)
  }
}

extension RecipeRequest {
  /// Those of a training by gradient descent, where `auto` means none: what a position more costs in steps
  /// it has to gain first.
  var symmetries: Symmetries {
    if case .given(let symmetries) = augmentation { symmetries } else { .none }
  }
}

/// The number of components and the symmetries under which held-out pictures are likeliest.
struct ComponentChoice {
  let latent: Int
  let symmetries: Symmetries

  /// Nothing is computed where there is no choice.
  /// - Throws: `.noComponents` where the pictures do not vary in as many directions as the fewest asked for.
  init(
    training: any ImageSource, heldOut: any ImageSource, latents: [Int], symmetries: Augmentation
  ) throws(TrainingError) {
    let candidates: [Symmetries] =
      switch symmetries {
      case .given(let given): [given]
      case .auto:
        training.shape[1] == training.shape[2] ? Symmetries.allCases : [.none, .flips]
      }
    if let latent = latents.first, latents.count == 1, candidates.count == 1 {
      (self.latent, self.symmetries) = (latent, candidates[0])
      return
    }
    var best: (latent: Int, symmetries: Symmetries, value: Double)?
    // Of the pictures as they are, the first candidate where there is a choice: no position may leave more.
    var plain: (trial: ComponentTrial, count: Int)?
    for candidate in candidates {
      let components = PrincipalComponents(
        SymmetricImages(training, candidate), count: latents.max() ?? 1)
      let trial = components.trial(on: heldOut)
      if candidate == .none { plain = (trial, components.count) }
      for latent in latents where latent <= components.count {
        if let plain, latent <= plain.count, trial.error(latent) > plain.trial.error(latent) {
          continue
        }
        let value = trial.logLikelihood(latent)
        if value > best?.value ?? -.infinity { best = (latent, candidate, value) }
      }
    }
    guard let best else {
      throw .noComponents("the pictures vary in fewer than \(latents.min() ?? 1) directions")
    }
    (latent, self.symmetries) = (best.latent, best.symmetries)
  }
}
