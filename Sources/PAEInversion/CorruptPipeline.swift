import Foundation
import ImageFiles
import Measurement
import Randomness
import Tensors

/// How `corrupt` damages a picture.
public struct CorruptOptions: Sendable, Equatable {
  /// Which pixels are taken away.
  public enum Hole: Sendable, Equatable {
    case none
    /// A PNG: black = missing.
    case mask(path: String)
    /// Rows and columns, both ends included, counted from 0.
    case rectangle(rows: ClosedRange<Int>, columns: ClosedRange<Int>)
    /// Each pixel with this probability.
    case random(fraction: Double)
  }

  public var noise = NoiseOptions()
  public var hole = Hole.none
  /// A 16-bit PNG whose range holds all values, instead of clipping at black and white.
  public var isWide = false
  /// 8 or 16; nil for that of the input, 16 when wide.
  public var bitDepth: Int?
  public var seed: UInt64 = 1
  public var overwrite = false

  public init() {}
}

/// Makes a test case: `truth.png`, `data.png` and, with a hole, `mask.png`.
public enum CorruptPipeline {
  /// - Parameter image: a PNG, "-", or a test picture such as `fashion-mnist:3055`.
  public static func run(image: String, output: String, options: CorruptOptions) throws {
    let truth = try DatasetLocator.testPicture(image) ?? Picture.read(path: image)
    let key = RandomKey(seed: options.seed).child("corrupt")
    let observed = try mask(options.hole, truth, key: key.child("mask"))
    let (noise, sigma) = try resolve(options.noise, shape: truth.tensor.shape)
    let sigmas = try options.noise.sigmaMap.map { try DamagedPicture.readSigmaMap($0, for: truth) }
    let ends = Float(truth.range.lowerBound)...Float(truth.range.upperBound)
    let damage = Damage(
      sigma: sigma, noise: noise, independentSigmas: sigmas, observed: observed,
      clippingRange: options.isWide ? nil : ends)
    let values = try damage.simulate(truth: truth.tensor, key: key.child("noise"))
    let depth = options.bitDepth ?? (options.isWide ? 16 : truth.bitDepth)
    let data = Picture(
      tensor: values, alpha: truth.alpha, bitDepth: depth,
      range: options.isWide ? wideRange(values) : truth.range)
    let folder = try OutputFolder(path: output, overwrite: options.overwrite)
    try folder.write(truth.encoded(), to: "truth.png")
    try folder.write(data.encoded(), to: "data.png")
    if let observed {
      let pixels = truth.width * truth.height
      let mask = Tensor(
        shape: Shape(1, truth.height, truth.width),
        values: observed.prefix(pixels).map { $0 ? 1 : 0 })
      try folder.write(Picture(tensor: mask).encoded(), to: "mask.png")
    }
    try folder.commit()
  }

  /// N₀ and σ; without any noise given σ = 0.1.
  private static func resolve(
    _ options: NoiseOptions, shape: Shape
  ) throws -> (NoiseShape, Double) {
    let noise = try ResolvedNoise(options, shape: shape)
    switch options.level {
    case .known(let sigma):
      guard sigma >= 0 && sigma <= 100 else {
        throw PipelineError.usage(
          "--sigma must be zero or a positive number of intensity units (black 0, white 1)")
      }
      return (noise.shape, sigma)
    case .inSpectrum: return (noise.shape, noise.spectrumSigma ?? 0)
    case .none: return (noise.shape, 0)
    case .inferred:
      guard options.sigma == nil else {
        throw PipelineError.usage("corrupt needs a noise level: give --sigma a number")
      }
      return (noise.shape, 0.1)
    }
  }

  /// A hundredth of margin on both sides, in whole hundredths: no value lies at an end.
  private static func wideRange(_ values: Tensor) -> ClosedRange<Double> {
    let (low, high) = (values.values.min() ?? 0, values.values.max() ?? 1)
    return ((Double(low) * 100).rounded(.down) - 1) / 100...((Double(high) * 100).rounded(.up) + 1)
      / 100
  }

  /// One flag for each element, the same for all channels; nil without a hole.
  private static func mask(
    _ hole: CorruptOptions.Hole, _ truth: Picture, key: RandomKey
  ) throws -> [Bool]? {
    var flags = [Bool](repeating: true, count: truth.width * truth.height)
    switch hole {
    case .none: return nil
    case .mask(let path): return try DamagedPicture.readMask(path, for: truth)
    case .rectangle(let rows, let columns):
      guard (0..<truth.height).contains(rows.upperBound), rows.lowerBound >= 0,
        (0..<truth.width).contains(columns.upperBound), columns.lowerBound >= 0
      else {
        throw PipelineError.usage(
          "the rectangle reaches outside the picture of \(truth.width)x\(truth.height) pixels")
      }
      for row in rows {
        for column in columns { flags[row * truth.width + column] = false }
      }
    case .random(let fraction):
      guard fraction > 0, fraction < 1 else {
        throw PipelineError.usage("--missing must lie between 0 and 1")
      }
      var stream = key.stream()
      for index in flags.indices { flags[index] = stream.uniform() >= fraction }
    }
    guard flags.contains(true) else {
      throw PipelineError.usage("nothing would be observed; leave some pixels")
    }
    return (0..<truth.tensor.shape[0]).flatMap { _ in flags }
  }
}
