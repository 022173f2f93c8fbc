import Foundation
import ImageFiles
import Likelihoods
import Maps
import Noise
import Problems
import Tensors

/// What `spectrum` is asked for.
public struct SpectrumOptions: Sendable, Equatable {
  public enum Form: String, Sendable, CaseIterable {
    /// A table of P(|k|).
    case radial
    /// P at each bin of the pictures' Fourier transform.
    case grid
  }

  public var form = Form.radial
  /// White = noise and nothing else; nil when the pictures are that everywhere.
  public var mask: String?
  /// How many radial bins; nil for as many as the pictures tell apart.
  public var bins: Int?

  public init() {}
}

/// Estimates the power spectrum of noise from pictures, or parts of pictures, that hold nothing else.
/// Channels count as pictures.
public enum SpectrumPipeline {
  public static func run(
    _ images: [String], options: SpectrumOptions, warn: (String) -> Void
  ) throws -> SpectrumResult {
    let files = try images.map { try NoisePicture($0) }
    let (height, width) = (files[0].height, files[0].width)
    for file in files where (file.height, file.width) != (height, width) {
      throw PipelineError.data(
        "\(file.name) is \(file.width)x\(file.height) pixels but \(files[0].name) is "
          + "\(width)x\(height): pictures of one spectrum have one size")
    }
    let mask = try options.mask.map { try Mask(path: $0, height: height, width: width) }
    mask?.warnings.forEach(warn)
    let used = mask?.observed
    for file in files where file.isClipped(used) {
      warn(
        "\(file.name): values pile up at an end of the range; clipped noise looks weaker than it is"
      )
    }
    let pictures = files.flatMap(\.channels)
    do {
      if let bins = options.bins, options.form == .grid {
        throw PipelineError.usage("--bins \(bins) goes with --radial; a grid has its own bins")
      }
      let estimate =
        options.form == .grid
        ? try grid(pictures, height, width, isMasked: used?.contains(false) ?? false)
        : try radial(pictures, height, width, used, options.bins)
      return SpectrumResult(
        images: files.map(\.name), mask: options.mask, height: height, width: width,
        usedFraction: used.map { Double($0.count { $0 }) / Double($0.count) } ?? 1,
        pictureCount: pictures.count, estimate: estimate)
    } catch let error as PlanError {
      throw PipelineError.data("\(images.joined(separator: ", ")): \(error)")
    }
  }

  private static func radial(
    _ pictures: [[Double]], _ height: Int, _ width: Int, _ used: [Bool]?, _ bins: Int?
  ) throws -> SpectrumResult.Estimate {
    if let bins, !(1...64).contains(bins) { throw PipelineError.usage("--bins must be 1 to 64") }
    let usedCount = used?.count { $0 } ?? height * width
    return .radial(
      try SpectrumEstimate(
        pictures: pictures, height: height, width: width, used: used,
        nodes: RadialNodes.standard(
          height: height, width: width, usedCount: usedCount, count: bins)))
  }

  private static func grid(
    _ pictures: [[Double]], _ height: Int, _ width: Int, isMasked: Bool
  ) throws -> SpectrumResult.Estimate {
    guard !isMasked else {
      throw PipelineError.usage(
        "--grid needs whole pictures: a part of them does not tell every bin; use --radial")
    }
    return .grid(try SpectrumGrid(pictures: pictures, height: height, width: width))
  }
}

/// A picture of noise: a PNG or a NumPy array, H×W or C×H×W.
private struct NoisePicture {
  let name: String
  let height: Int
  let width: Int
  /// Each H×W, intensity.
  let channels: [[Double]]
  /// nil for numbers that no instrument bounds.
  private let ends: ClosedRange<Float>?

  init(_ path: String) throws {
    let file = try PixelArray(path: path)
    try file.requireFinite(hint: "leave such pixels out with --mask, and put a number there")
    name = file.name
    let range = file.statedRange
    let values = file.values.map { ($0 - range.low) / range.width }
    ends = file.ends.map { range.intensity($0.lowerBound)...range.intensity($0.upperBound) }
    (height, width) = (file.shape[1], file.shape[2])
    let pixels = height * width
    channels = (0..<values.count / pixels).map {
      Array(values[$0 * pixels..<($0 + 1) * pixels])
    }
  }

  func isClipped(_ used: [Bool]?) -> Bool {
    guard let ends else { return false }
    return channels.contains { channel in
      ClippingPileUp(
        Tensor(shape: Shape(1, height, width), values: channel.map { Float($0) }), observed: used,
        low: ends.lowerBound, high: ends.upperBound
      ).isClipped
    }
  }
}
