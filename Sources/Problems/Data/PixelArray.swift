import ImageFiles
import Tensors

/// Numbers on a grid of pixels, from a PNG's intensities or a NumPy array.
package enum PixelArray {
  package static func isNumPy(_ path: String) -> Bool { path.lowercased().hasSuffix(".npy") }

  /// One number for each element C×H×W; a grid without channels counts for all of them.
  static func read(_ path: String, channels: Int, height: Int, width: Int) throws -> [Float] {
    let tensor: Tensor
    if isNumPy(path) {
      let file = try realArray(path)
      guard file.shape == Shape(height, width) || file.shape == Shape(channels, height, width)
      else {
        throw PipelineError.data(
          "\(path) holds \(file.shape) numbers but \(height)x\(width) are needed")
      }
      tensor = Tensor(
        shape: Shape(file.count / (height * width), height, width), values: file.values)
    } else {
      let picture = try Picture.read(path: path)
      guard picture.height == height, picture.width == width,
        [1, channels].contains(picture.tensor.shape[0])
      else {
        throw PipelineError.data(
          "\(path) is \(picture.width)x\(picture.height) pixels with \(picture.tensor.shape[0]) "
            + "channels but \(width)x\(height) with 1 or \(channels) are needed")
      }
      tensor = picture.tensor
    }
    return (0..<channels * height * width).map { tensor.values[$0 % tensor.count] }
  }

  /// A grid of any size, without channels.
  static func readGrid(_ path: String) throws -> Tensor {
    if isNumPy(path) {
      let file = try realArray(path)
      guard file.shape.rank == 2 else {
        throw PipelineError.data("\(path) has \(file.shape.rank) dimensions; it must have two")
      }
      return Tensor(shape: Shape(file.shape[0], file.shape[1]), values: file.values)
    }
    let picture = try Picture.read(path: path)
    guard picture.tensor.shape[0] == 1 else {
      throw PipelineError.data("\(path) is RGB; it must be grey")
    }
    return Tensor(shape: Shape(picture.height, picture.width), values: picture.tensor.values)
  }

  /// White (≥ 50 % of the range) or not zero = true, H×W.
  package static func readMask(_ path: String, height: Int, width: Int) throws -> [Bool] {
    let flags =
      isNumPy(path)
      ? try read(path, channels: 1, height: height, width: width).map { $0 != 0 }
      : try readPictureMask(path, height: height, width: width)
    guard flags.contains(true) else {
      throw PipelineError.data(
        "the mask \(path) is black everywhere: nothing would be observed; "
          + "paint observed pixels white")
    }
    return flags
  }

  private static func readPictureMask(
    _ path: String, height: Int, width: Int
  ) throws -> [Bool] {
    let mask = try Picture.read(path: path)
    guard mask.width == width, mask.height == height else {
      throw PipelineError.data(
        "the mask \(path) is \(mask.width)x\(mask.height) pixels but \(width)x\(height) are masked: "
          + "give a mask of that size")
    }
    let middle = Float((mask.range.lowerBound + mask.range.upperBound) / 2)
    let channels = mask.tensor.shape[0]
    return (0..<height * width).map { pixel in
      let sum = (0..<channels).reduce(Float(0)) {
        $0 + mask.tensor.values[$1 * height * width + pixel]
      }
      return sum / Float(channels) >= middle
    }
  }

  private static func realArray(_ path: String) throws -> Tensor {
    let file = try NPYFile.read(path: path)
    guard !file.isComplex else {
      throw PipelineError.data("\(path) holds complex numbers; real ones are needed")
    }
    let values = file.values.map { Float($0) }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw PipelineError.data(
        "element \(index) of \(path) is \(file.values[index]), beyond what a single-precision "
          + "number holds")
    }
    return Tensor(shape: file.shape, values: values)
  }
}
