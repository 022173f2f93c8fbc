import Inversion

extension TrainingRecord {
  /// How much larger than that of principal components an error may be to count as equal: the standard
  /// error of a mean over a few hundred held-out pictures, pair by pair.
  static let tolerance = 1.02
  /// A model that leaves more of what the mean picture leaves has learned next to nothing.
  static let mostOfMeanPicture = 0.9

  /// Why the model is not worth having, by its held-out error; nil where it is, or where the file does not
  /// tell.
  public var fault: String? {
    guard let comparison else { return nil }
    if heldOutError > Self.mostOfMeanPicture * comparison.meanPicture {
      return "it paints pictures hardly better than their mean picture does"
    }
    if heldOutError > Self.tolerance * comparison.principalComponents {
      return "it paints pictures worse than as many principal components do"
    }
    return nil
  }

  /// What to try where there is a fault.
  /// - Parameter latent: K.
  public func advice(latent: Int) -> String {
    guard let comparison else { return "" }
    if comparison.principalComponents > Self.mostOfMeanPicture * comparison.meanPicture {
      return pictures < 20 * latent
        ? "give more pictures, or smaller ones by --tile, or fewer latents by --latent"
        : "the pictures have little in common: cut them smaller by --tile, or give more --latent"
    }
    return "leave out --architecture and --epochs, or give --architecture linear"
  }
}
