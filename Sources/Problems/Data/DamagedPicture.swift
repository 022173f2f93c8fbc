import Foundation
import ImageFiles
import Inversion
import Likelihoods
import Maps
import Numerics
import Tensors

/// A task's files, read and held against the model: what the posterior needs to know of one picture.
package struct DamagedPicture {
  package let task: SolveTask
  /// How results are written: the data's own file, or 8 bits from black to white.
  package let picture: Picture
  /// y, in the shape of the forward model's codomain.
  package let values: [Float]
  /// One flag for each datum; nil when all are observed.
  package let observed: [Bool]?
  package let truth: Tensor?
  /// What each datum is.
  package let kinds: [PixelKind]
  /// Variances that do not scale with σ²: rounding, and the square of a sigma map.
  package let fixedVariances: [Float]
  /// Ends of the range beyond which values are censored.
  private let ends: ClosedRange<Float>
  /// Whether values at the ends of the range are taken as censored.
  package let isCensored: Bool
  /// σ given or, to be inferred, where the inference begins; 0 under a sigma map.
  package let sigma: Double
  /// A picture that the data suggest, and the elements that it knows something of.
  package let suggestion: (picture: [Float], isKnown: [Bool])
  package let warnings: [String]

  package init(
    task: SolveTask, options: SolveOptions, model: PAEModel, forward: ForwardModel,
    noise: ResolvedNoise
  ) throws {
    let data = try MeasuredData(task.image, forward: forward, model: model)
    self.task = task
    picture = data.picture
    values = data.values
    warnings = data.warnings
    observed = try task.mask.map { try Self.readMask($0, shape: forward.dataShape) }
    truth = try task.truth.map { try Self.readTruth($0, shape: model.imageShape) }
    switch options.clipping {
    case .yes: isCensored = true
    case .no: isCensored = false
    case .auto:
      isCensored =
        data.hasEnds
        && clippingPileUp(
          values, observed: observed, low: Float(picture.range.lowerBound),
          high: Float(picture.range.upperBound))
    }
    // A sample at an end says "within half a step of it, or beyond".
    let halfStep = Float(data.quantizationStep / 2)
    ends =
      Float(picture.range.lowerBound) + halfStep...Float(picture.range.upperBound) - halfStep
    kinds = PixelData.kinds(
      of: values, observed: observed, censored: isCensored, low: ends.lowerBound,
      high: ends.upperBound)
    let rounding = Float(data.quantizationStep * data.quantizationStep / 12)
    var fixed = [Float](repeating: rounding, count: values.count)
    if let path = options.noise.sigmaMap {
      let map = try Self.readSigmaMap(path, shape: forward.dataShape)
      fixed = zip(fixed, map).map { $0 + $1 * $1 }
    }
    fixedVariances = fixed
    switch options.noise.level {
    case .known(let value): sigma = value
    case .inSpectrum: sigma = noise.spectrumSigma ?? 1
    case .none: sigma = 0
    case .inferred:
      sigma =
        forward.dataShape.rank == 3
        ? estimateSigma(
          picture: Tensor(shape: forward.dataShape, values: values), kinds: kinds,
          low: ends.lowerBound, high: ends.upperBound)
          / (try noise.shape.localShare()).squareRoot()
        : estimateSigma(coefficients: values)
    }
    suggestion = try forward.backProjection(values, observed: observed)
  }

  /// Data that were never in a file: neither rounded nor clipped. Unobserved values are not looked at.
  /// - Parameter sigma: the level of the noise, known.
  package init(
    simulated data: [Float], observed: [Bool]?, sigma: Double, forward: ForwardModel,
    independentSigmas: [Float]? = nil
  ) throws(PlanError) {
    task = SolveTask(image: "simulated", output: "")
    picture = Picture(tensor: Tensor(shape: forward.pictureShape))
    (values, self.observed, self.sigma) = (data, observed, sigma)
    (truth, isCensored, warnings) = (nil, false, [])
    ends = 0...1
    kinds = PixelData.kinds(of: data, observed: observed, censored: false)
    fixedVariances =
      independentSigmas?.map { $0 * $0 } ?? [Float](repeating: 0, count: data.count)
    suggestion = try forward.backProjection(data, observed: observed)
  }

  package var observedCount: Int { kinds.count { $0 != .unobserved } }

  /// The data as independent ones whose variances include the residual's.
  package func pixelData(
    residualVariances: [Float], intensityVariance: IntensityVariance? = nil
  ) -> PixelData {
    PixelData(
      values: values, kinds: kinds,
      extraVariances: fixedVariances, residualVariances: residualVariances,
      intensityVariance: intensityVariance,
      low: ends.lowerBound, high: ends.upperBound)
  }

  /// The values before clipping of the clipped ones, for a measurement of this picture.
  package func unclippedValues(_ turned: DiagonalizedMeasurement) -> UnclippedValues {
    UnclippedValues(turned, values: values, kinds: kinds, ends: ends)
  }

  package var observedFraction: Double {
    guard let observed else { return 1 }
    return Double(observed.count { $0 }) / Double(observed.count)
  }

  private static func readTruth(_ path: String, shape: Shape) throws -> Tensor {
    let truth = try Picture.read(path: path)
    guard truth.tensor.shape == shape else {
      throw PipelineError.data(
        "the truth \(path) is \(truth.width)x\(truth.height) with \(truth.tensor.shape[0]) channels "
          + "but the model paints \(shape[2])x\(shape[1]) with \(shape[0])")
    }
    return truth.tensor
  }

  /// White (≥ 50 % of the range) = observed, for every channel of a pixel.
  static func readMask(_ path: String, shape: Shape) throws -> [Bool] {
    guard shape.rank == 3 else {
      throw PipelineError.configuration(
        "a mask goes with pixels: name the measured frequencies in the fourier step")
    }
    let flags = try PixelArray.readMask(path, height: shape[1], width: shape[2])
    return (0..<shape[0]).flatMap { _ in flags }
  }

  /// One σ for each element, each positive.
  package static func readSigmaMap(_ path: String, shape: Shape) throws -> [Float] {
    guard shape.rank == 3 else { throw PipelineError.configuration("a sigma map goes with pixels") }
    let map = try PixelArray.read(path, channels: shape[0], height: shape[1], width: shape[2])
    if let bad = map.firstIndex(where: { !($0 > 0) }) {
      let pixel = bad % (shape[1] * shape[2])
      throw PipelineError.data(
        "the sigma map \(path) is not positive at column \(pixel % shape[2]), row "
          + "\(pixel / shape[2]): every pixel needs a standard deviation above 0; "
          + "leave pixels out with --mask instead")
    }
    return map
  }
}
