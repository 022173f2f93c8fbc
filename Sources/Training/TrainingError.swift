import Networks

/// Why training could not begin, go on or end.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// How many were found and are needed, and what decides that.
  case tooFewPictures(found: Int, needed: Int, reason: String)
  case unknownArchitecture(String)
  /// Labels that do not fit the pictures, and why.
  case labels(String)
  case diverged(epoch: Int)
  /// A model that does not say which pictures were held out of its training.
  case noRecord(name: String)
  /// A model whose residual is part of its objective.
  case fixedResidual(name: String)
  /// A model whose objective leaves no flow to fit to finished codes.
  case noFlowStage(name: String, objective: String)
  /// Pictures that have no K principal components, and why.
  case noComponents(String)
  /// Not the pictures that the model was trained on.
  case otherPictures(what: String)
  /// The checkpoint belongs to another recipe or other pictures.
  case checkpointDiffers(path: String, what: String)

  public var description: String {
    switch self {
    case .tooFewPictures(let found, let needed, let reason):
      "\(found) pictures are too few to train on, give at least \(needed): \(reason)"
    case .unknownArchitecture(let name):
      "there is no architecture '\(name)': use "
        + Architecture.allCases.map(\.rawValue).joined(separator: ", ")
    case .labels(let why): "the labels do not fit: \(why)"
    case .diverged(let epoch):
      "training diverged in epoch \(epoch + 1): lower --learning-rate"
    case .noRecord(let name):
      "the model \(name) does not say how it was trained: nothing of it can be fitted again"
    case .fixedResidual(let name):
      "the residual of \(name) is the s² of its principal components and is not fitted apart"
    case .noFlowStage(let name, let objective):
      "the model \(name) is a \(objective), whose prior is its objective's: a flow is fitted to the "
        + "codes of pae, ae and beta0-vae"
    case .noComponents(let why):
      "there are no such principal components: \(why)"
    case .otherPictures(let what):
      "these are not the pictures that the model was trained on: \(what)"
    case .checkpointDiffers(let path, let what):
      "the checkpoint \(path) is of another training (\(what) differs): give the options it was "
        + "begun with, or train without --resume"
    }
  }
}
