import ImageFiles
import Inversion
import Tensors

/// The data of one problem as their file has them: a PNG, a NumPy array of pixels, or one of complex
/// frequencies.
package struct MeasuredData {
  /// In the order of the forward model's codomain.
  package let values: [Float]
  /// How results are written.
  let picture: Picture
  /// Distance between neighbouring sample values; 0 for numbers that were not rounded.
  let quantizationStep: Double
  /// Whether the instrument has a smallest and a largest value.
  let hasEnds: Bool
  package let warnings: [String]

  package init(_ path: String, forward: ForwardModel, model: PAEModel) throws {
    let name = path == "-" ? "standard input" : path
    let shape = forward.dataShape
    if PixelArray.isNumPy(path) {
      values = try Self.array(path, forward: forward)
      picture = Picture(tensor: Tensor(shape: forward.pictureShape))
      (quantizationStep, hasEnds, warnings) = (0, false, [])
      return
    }
    guard forward.sampling == nil else {
      throw PipelineError.data(
        "\(name) must be a NumPy array (.npy) of complex frequencies: Fourier sampling gives no picture"
      )
    }
    let picture = try Picture.read(path: path)
    try Self.check(picture, name, shape, model.description.name, forward.isIdentity)
    guard picture.tensor.values.allSatisfy(\.isFinite) else {
      throw PipelineError.data("\(name) holds values that are not finite")
    }
    var warnings = picture.warnings
    let isOpacityKept = picture.alpha != nil && shape == forward.pictureShape
    if isOpacityKept {
      warnings.append("\(path): opacity is not part of the data; it is copied to the results")
    }
    values = picture.tensor.values
    self.picture = isOpacityKept ? picture : picture.withoutOpacity
    (quantizationStep, hasEnds) = (picture.quantizationStep, true)
    self.warnings = warnings
  }

  /// Refuses a picture whose size or channels are not those of the data.
  private static func check(
    _ picture: Picture, _ name: String, _ shape: Shape, _ model: String, _ isIdentity: Bool
  ) throws(PipelineError) {
    let author =
      isIdentity ? "the model '\(model)' paints" : "the operator makes of the model's pictures"
    guard picture.width == shape[2], picture.height == shape[1] else {
      throw PipelineError.data(
        "\(name) is \(picture.width)x\(picture.height) pixels but \(author) \(shape[2])x\(shape[1]): "
          + "resize or crop the picture, or train a model on pictures of its size")
    }
    guard picture.tensor.shape[0] == shape[0] else {
      let kinds = [1: "grey", 3: "RGB"]
      throw PipelineError.data(
        "\(name) is \(kinds[picture.tensor.shape[0]] ?? "?") but \(author) "
          + "\(kinds[shape[0]] ?? "?"): convert the picture, or choose another --model")
    }
  }

  private static func array(_ path: String, forward: ForwardModel) throws -> [Float] {
    let shape = forward.dataShape
    guard let sampling = forward.sampling else {
      return try PixelArray.read(path, channels: shape[0], height: shape[1], width: shape[2])
    }
    let file = try NPYFile.read(path: path, requireFinite: false)
    let grid = sampling.domain
    guard file.isComplex,
      file.shape == grid || grid[0] == 1 && file.shape == Shape(grid[1], grid[2])
    else {
      throw PipelineError.data(
        "\(path) holds \(file.isComplex ? "" : "real ")numbers of shape \(file.shape); the frequencies "
          + "of \(grid[1])x\(grid[2]) pixels are complex numbers in the order of numpy.fft.fft2")
    }
    return try sampling.data(fromSpectrum: file.values)
  }
}

extension Picture {
  /// The same without its alpha channel.
  var withoutOpacity: Picture {
    Picture(tensor: tensor, bitDepth: bitDepth, range: range, warnings: warnings)
  }
}
