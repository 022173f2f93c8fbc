import ImageFiles
import Tensors

/// Which pixels were observed, from a PNG or a NumPy array.
///
/// A pixel is observed where the mask is white: 50 % or more of a PNG's range, not zero in an array; where it
/// is opaque; and where it is a number at all. Samples of 0 and 1 alone are 0 and 1 of one, not of 255.
public struct Mask: Sendable, Equatable {
  /// How a mask's numbers are read.
  public struct Reading: Sendable, Equatable {
    /// Black is observed and white is missing.
    public var isInverted = false
    /// The number that means missing, where all others mean observed: a sample of a PNG, an element of an
    /// array.
    public var bad: Double?

    public init() {}
  }

  /// H×W flags.
  package let observed: [Bool]
  package let warnings: [String]

  /// - Throws: `PipelineError` for another size, or a mask that leaves nothing.
  package init(path: String, height: Int, width: Int, reading: Reading = Reading()) throws {
    let file = try PixelArray(path: path)
    guard file.shape[2] == width, file.shape[1] == height else {
      throw PipelineError.data(
        "the mask \(file.name) is \(file.shape[2])x\(file.shape[1]) pixels but \(width)x\(height) are "
          + "masked: give a mask of that size")
    }
    var warnings: [String] = []
    let white = Self.white(file, reading, &warnings)
    let alpha = file.picture?.alpha?.values
    let opaque = alpha.map { $0.map { $0 >= 0.5 } }
    var flags = white.map { reading.isInverted ? !$0 : $0 }
    if let opaque, opaque.contains(false) {
      let disagreeing = zip(white, opaque).count { $0 != $1 }
      if !white.contains(true), reading.bad == nil {
        warnings.append(
          "\(file.name): it is black wherever it is opaque; its transparency is the mask, transparent = "
            + "missing, and its colour is not used")
        flags = opaque
      } else if !white.contains(false) {
        flags = opaque
      } else {
        if disagreeing > 0 {
          warnings.append(
            "\(file.name): colour and transparency disagree in \(disagreeing) pixels; a pixel that is "
              + "transparent is missing, whatever its colour, and so is one that its colour calls missing"
          )
        }
        flags = zip(flags, opaque).map { $0 && $1 }
      }
    }
    for (index, value) in file.values.enumerated() where value.isNaN {
      flags[index % flags.count] = false
    }
    guard flags.contains(true) else {
      throw PipelineError.data(
        "the mask \(file.name) is black everywhere: nothing would be observed; "
          + "paint observed pixels white, or give --invert-mask")
    }
    (observed, self.warnings) = (flags, warnings)
  }

  /// What the colours, or an array's numbers, call observed.
  private static func white(
    _ file: PixelArray, _ reading: Reading, _ warnings: inout [String]
  ) -> [Bool] {
    let (channels, pixels) = (file.shape[0], file.shape[1] * file.shape[2])
    if let bad = reading.bad {
      return (0..<pixels).map { pixel in
        !(0..<channels).allSatisfy { file.values[$0 * pixels + pixel] == bad }
      }
    }
    guard let ends = file.ends, let picture = file.picture else {
      return (0..<pixels).map { pixel in
        (0..<channels).contains { file.values[$0 * pixels + pixel] != 0 }
      }
    }
    var middle = (ends.lowerBound + ends.upperBound) / 2
    if picture.range == 0...1, file.values.max() == 1, file.values.contains(0) {
      warnings.append(
        "\(file.name): its largest value is 1 of \(Int(ends.upperBound)); taken as a mask of 0 and 1"
      )
      middle = 0.5
    }
    return (0..<pixels).map { pixel in
      let sum = (0..<channels).reduce(0.0) { $0 + file.values[$1 * pixels + pixel] }
      return sum / Double(channels) >= middle
    }
  }
}
