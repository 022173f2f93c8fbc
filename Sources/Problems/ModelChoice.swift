import ImageFiles
import Tensors

/// Which model a picture gets where none was named: that of the clothes where size and channels are theirs,
/// else the prior on tiles of photographs.
public struct ModelChoice: Sendable, Equatable, Hashable {
  public let name: String
  /// In words, for the report.
  public let reason: String

  /// The size of the clothes' pictures.
  private static let side = 28

  /// - Parameter path: of a PNG or NumPy array; standard input cannot be looked at beforehand and counts as a
  ///   picture of the clothes' size.
  /// - Throws: `ImageFileError` or `PipelineError` for what is no picture.
  public static func forPicture(_ path: String) throws -> ModelChoice {
    guard path != "-" else {
      return ModelChoice(
        name: ModelLocator.defaultName,
        reason: "standard input; name another with --model, photo for photographs")
    }
    let file = try PixelArray(path: path)
    let isGrey = file.shape[0] == 1 || file.commonChannel != nil
    let size = "\(file.shape[2])x\(file.shape[1]) pixels, \(isGrey ? "grey" : "RGB")"
    if isGrey, file.shape[1] == side, file.shape[2] == side {
      return ModelChoice(
        name: ModelLocator.defaultName, reason: "\(size): the size of its pictures")
    }
    return ModelChoice(
      name: isGrey ? "photo" : "photo-rgb", reason: "\(size): a prior for pictures of any size")
  }
}
