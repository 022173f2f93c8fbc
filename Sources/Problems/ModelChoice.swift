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

  /// - Parameters:
  ///   - path: of a PNG or NumPy array; standard input cannot be looked at beforehand and counts as a picture of
  ///     the clothes' size.
  ///   - steps: the light's way to the data, which decides what size of picture they are of. Where that cannot be
  ///     told it counts as the clothes'.
  /// - Throws: `ImageFileError` or `PipelineError` for what is no picture.
  public static func forPicture(_ path: String, behind steps: [ForwardStep] = []) throws
    -> ModelChoice
  {
    guard path != "-" else {
      return ModelChoice(
        name: ModelLocator.defaultName,
        reason: "standard input; name another with --model, photo for photographs")
    }
    let (shape, isGrey) = try picture(ofFile: path, behind: steps)
    guard let shape else {
      return ModelChoice(
        name: ModelLocator.defaultName,
        reason: "the data behind a crop do not tell the picture's size; name another with --model")
    }
    let size = "\(shape[2])x\(shape[1]) pixels, \(isGrey ? "grey" : "RGB")"
    if isGrey, shape[1] == side, shape[2] == side {
      return ModelChoice(
        name: ModelLocator.defaultName, reason: "\(size): the size of its pictures")
    }
    return ModelChoice(
      name: isGrey ? "photo" : "photo-rgb", reason: "\(size): a prior for pictures of any size")
  }

  /// C×H×W of the picture behind the data, nil where they do not tell, and whether it is grey.
  package static func picture(
    ofFile path: String, behind steps: [ForwardStep]
  ) throws -> (shape: Shape?, isGrey: Bool) {
    if case .fourier = steps.last {
      let extents = try NPYFile.read(path: path, requireFinite: false).shape.extents
      let shape = Shape(extents.count == 2 ? [1] + extents : extents)
      return (try pictureShape(of: shape, behind: steps), shape[0] == 1)
    }
    let file = try PixelArray(path: path)
    return (
      try pictureShape(of: file.shape, behind: steps),
      file.shape[0] == 1 || file.commonChannel != nil
    )
  }

  /// C×H×W of the picture whose data behind these steps are `data`, C×H×W; nil where they do not tell.
  /// - Throws: `PipelineError` where no picture has such data.
  private static func pictureShape(of data: Shape, behind steps: [ForwardStep]) throws -> Shape? {
    guard data.rank == 3 else {
      throw PipelineError.data("data of shape \(data) are neither pixels nor frequencies of pixels")
    }
    var (height, width) = (data[1], data[2])
    for step in steps.reversed() {
      guard let size = step.size(before: height, width) else { return nil }
      (height, width) = size
      guard height > 0, width > 0 else {
        throw PipelineError.data(
          "data of \(data[2])x\(data[1]) pixels are smaller than what the operator pads")
      }
    }
    return Shape(data[0], height, width)
  }
}
