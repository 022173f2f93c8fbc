import ImageFiles
import Tensors

/// Numbers on a grid of pixels as their file has them: samples of a PNG or a NumPy array.
package struct PixelArray {
  package let name: String
  /// C×H×W.
  package let shape: Shape
  /// In the file's own numbers: samples of a PNG (what its text chunk makes of them where it has one),
  /// elements of an array. NaN and infinities are what the file has.
  package let values: [Double]
  /// Those of the smallest and the largest sample; nil where no instrument bounds the numbers.
  package let ends: ClosedRange<Double>?
  /// The largest number of an integer type: white, where nothing else is said.
  let largest: Double?
  /// Between neighbouring numbers; 0 where they were not rounded.
  let step: Double
  /// "png, 8 bits", "npy, uint16", ….
  let format: String
  /// How results are written: depth, opacity.
  let picture: Picture?
  let warnings: [String]

  package static func isNumPy(_ path: String) -> Bool { path.lowercased().hasSuffix(".npy") }

  /// - Throws: `PipelineError` or `ImageFileError` for what is no picture.
  package init(path: String) throws {
    name = path == "-" ? "standard input" : path
    if Self.isNumPy(path) {
      let file = try NPYFile.read(path: path, requireFinite: false)
      guard !file.isComplex else {
        throw PipelineError.data("\(path) holds complex numbers; real ones are needed")
      }
      guard (2...3).contains(file.shape.rank), file.shape.count > 0 else {
        throw PipelineError.data(
          "\(path) holds numbers of shape \(file.shape); a picture is HxW, HxWxC or CxHxW")
      }
      (shape, values) = Self.channelsFirst(file)
      largest = file.largest
      // A type of 32 bits or more is a container, which no instrument fills.
      ends = file.largest.flatMap { $0 > 1 && $0 <= 65_535 ? 0...$0 : nil }
      step = file.largest == nil ? 0 : 1
      format = "npy, \(file.typeName)"
      (picture, warnings) = (nil, [])
      return
    }
    let picture = try Picture.read(path: path)
    self.picture = picture
    shape = picture.tensor.shape
    let isStated = picture.range != 0...1
    let samples = picture.largestSample
    values = picture.tensor.values.map {
      isStated ? Double($0) : (Double($0) * Double(samples)).rounded()
    }
    ends = isStated ? picture.range : 0...Double(samples)
    largest = isStated ? nil : Double(samples)
    step = isStated ? picture.quantizationStep : 1
    format = "png, \(picture.bitDepth) bits"
    warnings = picture.warnings
  }

  /// Where neither range nor text says more: integers as a PNG has them, other numbers as they are.
  package var statedRange: DataRange { largest.map { DataRange(low: 0, high: $0) } ?? .unit }

  /// The same numbers as C×H×W: of three extents the last counts the channels when it is at most 4 and the
  /// first is no number of channels, 1 or 3.
  private static func channelsFirst(_ file: NPYFile.Content) -> (Shape, [Double]) {
    let extents = file.shape.extents
    guard extents.count == 3 else { return (Shape(1, extents[0], extents[1]), file.values) }
    guard extents[2] <= 4, ![1, 3].contains(extents[0]) else { return (file.shape, file.values) }
    let (pixels, channels) = (extents[0] * extents[1], extents[2])
    let values = (0..<channels).flatMap { channel in
      (0..<pixels).map { file.values[$0 * channels + channel] }
    }
    return (Shape(channels, extents[0], extents[1]), values)
  }

  /// The single grey channel of an RGB picture whose channels agree everywhere; nil for another.
  var commonChannel: [Double]? {
    guard shape[0] == 3 else { return nil }
    let pixels = shape[1] * shape[2]
    let first = values[..<pixels]
    return values[pixels..<2 * pixels].elementsEqual(first, by: Self.same)
      && values[(2 * pixels)...].elementsEqual(first, by: Self.same) ? Array(first) : nil
  }

  private static func same(_ a: Double, _ b: Double) -> Bool { a == b || a.isNaN && b.isNaN }

  /// - Throws: `PipelineError.data` naming row, column and number of the values that are not finite.
  package func requireFinite(hint: String) throws {
    guard let first = values.firstIndex(where: { !$0.isFinite }) else { return }
    let pixel = first % (shape[1] * shape[2])
    let count = values.count { !$0.isFinite }
    throw PipelineError.data(
      "\(name) is \(values[first]) at row \(pixel / shape[2]), column \(pixel % shape[2]) (\(count) of "
        + "\(values.count) numbers are not finite): \(hint)")
  }
}

extension PixelArray {
  /// One number for each element C×H×W; a grid without channels counts for all of them. A PNG's are
  /// intensities, and so are integers of an array where `areIntensities`; else they are what they are.
  static func read(
    _ path: String, channels: Int, height: Int, width: Int, areIntensities: Bool = false
  ) throws -> [Float] {
    let file = try PixelArray(path: path)
    try file.requireFinite(hint: "every pixel needs a number")
    guard file.shape[1] == height, file.shape[2] == width, [1, channels].contains(file.shape[0])
    else {
      throw PipelineError.data(
        "\(file.name) is \(file.shape[2])x\(file.shape[1]) pixels with \(file.shape[0]) channels but "
          + "\(width)x\(height) with 1 or \(channels) are needed")
    }
    let numbers =
      file.picture?.tensor.values
      ?? file.values.map { areIntensities ? file.statedRange.intensity($0) : Float($0) }
    guard numbers.allSatisfy(\.isFinite) else {
      throw PipelineError.data(
        "\(file.name) holds numbers beyond what a single-precision number holds")
    }
    return (0..<channels * height * width).map { numbers[$0 % numbers.count] }
  }

  /// A grid of any size, without channels.
  static func readGrid(_ path: String) throws -> Tensor {
    let file = try PixelArray(path: path)
    try file.requireFinite(hint: "every element needs a number")
    guard file.shape[0] == 1 else {
      throw PipelineError.data("\(file.name) has \(file.shape[0]) channels; it must be grey")
    }
    return Tensor(
      shape: Shape(file.shape[1], file.shape[2]),
      values: file.picture?.tensor.values ?? file.values.map { Float($0) })
  }
}
