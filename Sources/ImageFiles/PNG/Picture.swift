import Tensors

/// A picture as read from, or to be written to, a PNG file: intensities and how samples map to them.
///
/// intensity = LO + sample / (2^bits − 1) · (HI − LO), with LO…HI = `range`. Gamma and colour
/// profiles are not applied.
public struct Picture: Equatable, Sendable {
  /// What the channels of a picture are.
  public enum Channels: Sendable { case grey, rgb }

  /// Intensities, C×H×W with C = 1 (grey) or 3 (RGB).
  public var tensor: Tensor
  /// Opacity, 1×H×W in 0…1, when the file has it; never mixed into the intensities.
  public var alpha: Tensor?
  /// Bits a sample: 8 or 16 (files of fewer than 8 bits count as 8).
  public let bitDepth: Int
  /// The intensities of the smallest and the largest sample.
  public let range: ClosedRange<Double>
  /// One line each: what the file carries that is not applied.
  public var warnings: [String]

  /// - Precondition: `tensor` is 1×H×W or 3×H×W with sides 1…65 535 and at most 2²⁶ pixels, `alpha`
  ///   is 1×H×W, `bitDepth` is 8 or 16, `range` is finite and not empty.
  public init(
    tensor: Tensor, alpha: Tensor? = nil, bitDepth: Int = 8, range: ClosedRange<Double> = 0...1,
    warnings: [String] = []
  ) {
    precondition(
      tensor.shape.rank == 3 && (tensor.shape[0] == 1 || tensor.shape[0] == 3),
      "a picture is 1×H×W or 3×H×W, not \(tensor.shape)")
    precondition(alpha == nil || alpha!.shape == Shape(1, tensor.shape[1], tensor.shape[2]))
    precondition(bitDepth == 8 || bitDepth == 16)
    precondition(
      (range.upperBound - range.lowerBound).isFinite && range.lowerBound < range.upperBound)
    self.tensor = tensor
    self.alpha = alpha
    self.bitDepth = bitDepth
    self.range = range
    self.warnings = warnings
  }

  public var channels: Channels { tensor.shape[0] == 1 ? .grey : .rgb }
  public var height: Int { tensor.shape[1] }
  public var width: Int { tensor.shape[2] }

  /// The distance between neighbouring sample values, in intensity units.
  public var quantizationStep: Double {
    (range.upperBound - range.lowerBound) / Double(largestSample)
  }

  /// 2^bits − 1.
  public var largestSample: Int { (1 << bitDepth) - 1 }

  /// Keyword of the text chunk that holds "LO HI".
  static let rangeKeyword = "paeinvert:range"
}
