import Foundation
import ImageFiles
import Inversion
import Likelihoods
import Maps
import Noise
import Numerics
import Tensors

/// A task's files, read and held against the model: what the posterior needs to know of one picture.
package struct DamagedPicture {
  package let task: SolveTask
  /// How results are written.
  package let form: ResultForm
  /// What the data's file is, and what in it is black and white.
  package let format: String
  package let range: DataRange
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
  /// Places of values that lie alone at an end of the range: they are left out.
  package let isolatedEnds: [Int]
  package let warnings: [Warning]

  package init(
    task: SolveTask, options: SolveOptions, model: PAEModel, forward: ForwardModel,
    noise: ResolvedNoise
  ) throws {
    let data = try MeasuredData(
      task.image, forward: forward, model: model, range: options.range,
      missing: .init(
        allowsNonFinite: task.allowsMissing, transparent: task.isTransparentMissing))
    self.task = task
    (form, format, range) = (data.form, data.format, data.range)
    values = data.values
    var warnings = data.warnings
    var flags = data.observed.map { everyChannel($0, shape: forward.dataShape) }
    if let path = task.mask {
      let mask = try Self.readMask(path, shape: forward.dataShape, reading: options.maskReading)
      warnings += mask.warnings.map { Warning($0) }
      if let warning = maskWarning(mask.name, values: values, observed: mask.observed) {
        warnings.append(warning)
      }
      flags = flags.map { zip($0, mask.observed).map { $0 && $1 } } ?? mask.observed
      guard flags?.contains(true) ?? true else {
        throw PipelineError.data(
          "\(task.image) and the mask \(path) together leave nothing that is observed")
      }
    } else if options.maskReading != Mask.Reading() {
      throw PipelineError.usage("--invert-mask and --mask-bad go with --mask")
    } else if task.isTransparentMissing, flags == nil {
      throw PipelineError.usage(
        "nothing of \(task.image) is missing, neither by transparency nor by NaN: give --mask, or use "
          + "paeinvert denoise")
    }
    truth = try task.truth.map {
      try Self.readTruth($0, shape: model.imageShape, range: options.range.map { _ in data.range })
    }
    // A sample at an end says "within half a step of it, or beyond".
    let halfStep = Float(data.quantizationStep / 2)
    let limits = data.ends ?? 0...1
    ends = limits.lowerBound + halfStep...limits.upperBound - halfStep
    var isolated: [Int] = []
    switch options.clipping {
    case .yes: isCensored = true
    case .no: isCensored = false
    case .auto:
      guard data.ends != nil else {
        isCensored = false
        break
      }
      let pileUp = ClippingPileUp(
        Tensor(shape: forward.dataShape, values: values), observed: flags,
        low: limits.lowerBound, high: limits.upperBound)
      (isCensored, isolated) = (pileUp.isClipped, pileUp.isolated)
    }
    isolatedEnds = isolated
    if !isolated.isEmpty {
      warnings.append(isolationWarning(isolated, shape: forward.dataShape, name: task.image))
      var kept = flags ?? [Bool](repeating: true, count: values.count)
      for index in isolated { kept[index] = false }
      flags = everyChannel(kept, shape: forward.dataShape)
    }
    observed = flags
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
        try Self.estimatedSigma(
          values, kinds, ends: ends, dataShape: forward.dataShape, noise: noise.shape,
          isWhite: options.noise.isWhite)
    }
    suggestion = try forward.backProjection(values, observed: observed)
    if case .known(let sigma) = options.noise.level, forward.dataShape.rank == 3,
      let warning = sigmaWarning(
        sigma, values: values, kinds: kinds, isClipped: isCensored, name: task.image)
    {
      warnings.append(warning)
    }
    if let warning = censoringWarning(kinds, name: task.image) { warnings.append(warning) }
    self.warnings = warnings
  }

  /// Data that were never in a file: neither rounded nor clipped. Unobserved values are not looked at.
  /// - Parameter sigma: the level of the noise, known.
  package init(
    simulated data: [Float], observed: [Bool]?, sigma: Double, forward: ForwardModel,
    independentSigmas: [Float]? = nil
  ) throws(PlanError) {
    try self.init(
      name: "simulated", values: data, observed: observed, sigma: sigma, forward: forward,
      noise: .white, independentSigmas: independentSigmas)
  }

  /// Data at hand. Unobserved values are not looked at.
  /// - Parameters:
  ///   - name: what reports call the data.
  ///   - sigma: the level of the noise; nil where it is to be inferred.
  ///   - noise: N₀, for the first guess of a level that is inferred.
  ///   - independentSigmas: s, one for each datum, of independent noise on top.
  ///   - range: ends at which values are censored; nil for data that are not clipped.
  ///   - roundingStep: distance between neighbouring values; 0 for data that were not rounded.
  package init(
    name: String, values data: [Float], observed: [Bool]?, sigma: Double?, forward: ForwardModel,
    noise: NoiseShape, independentSigmas: [Float]? = nil, range: ClosedRange<Float>? = nil,
    roundingStep: Double = 0
  ) throws(PlanError) {
    task = SolveTask(image: name, output: "")
    (form, format, self.range, isolatedEnds) = (ResultForm(), name, .unit, [])
    (values, self.observed) = (data, observed)
    (truth, isCensored, warnings) = (nil, range != nil, [])
    let whole = range ?? 0...1
    let halfStep = Float(roundingStep / 2)
    ends = whole.lowerBound + halfStep...whole.upperBound - halfStep
    kinds = PixelData.kinds(
      of: data, observed: observed, censored: isCensored, low: ends.lowerBound,
      high: ends.upperBound)
    let rounding = Float(roundingStep * roundingStep / 12)
    fixedVariances =
      independentSigmas?.map { rounding + $0 * $0 }
      ?? [Float](repeating: rounding, count: data.count)
    if let sigma {
      self.sigma = sigma
    } else {
      self.sigma = try Self.estimatedSigma(
        data, kinds, ends: ends, dataShape: forward.dataShape, noise: noise,
        isWhite: noise.isWhite)
    }
    suggestion = try forward.backProjection(data, observed: observed)
  }

  /// Where the inference of σ begins: of pixels by their small patches, of frequencies by all of them.
  package static func estimatedSigma(
    _ values: [Float], _ kinds: [PixelKind], ends: ClosedRange<Float>, dataShape: Shape,
    noise: NoiseShape, isWhite: Bool
  ) throws(PlanError) -> Double {
    guard dataShape.rank == 3 else { return estimateSigma(coefficients: values) }
    return estimateSigma(
      picture: Tensor(shape: dataShape, values: values), kinds: kinds,
      low: ends.lowerBound, high: ends.upperBound, isWhite: isWhite)
      / (try noise.localShare()).squareRoot()
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

  package static func readTruth(
    _ path: String, shape: Shape, range: DataRange?
  ) throws -> Tensor {
    let file = try PixelArray(path: path)
    try file.requireFinite(hint: "a truth has no missing pixels")
    let isGrey = shape[0] == 1 && file.commonChannel != nil
    guard Shape(isGrey ? 1 : file.shape[0], file.shape[1], file.shape[2]) == shape else {
      throw PipelineError.data(
        "the truth \(path) is \(file.shape[2])x\(file.shape[1]) with \(file.shape[0]) channels "
          + "but the model paints \(shape[2])x\(shape[1]) with \(shape[0])")
    }
    return Tensor(
      shape: shape,
      values: file.values.prefix(shape.count).map((range ?? file.statedRange).intensity))
  }

  /// White (≥ 50 % of the range) = observed, for every channel of a pixel.
  package static func readMask(
    _ path: String, shape: Shape, reading: Mask.Reading = Mask.Reading()
  ) throws -> (name: String, observed: [Bool], warnings: [String]) {
    guard shape.rank == 3 else {
      throw PipelineError.configuration(
        "a mask goes with pixels: name the measured frequencies in the fourier step")
    }
    let mask = try Mask(path: path, height: shape[1], width: shape[2], reading: reading)
    return (path, (0..<shape[0]).flatMap { _ in mask.observed }, mask.warnings)
  }

  /// One σ for each element, each positive.
  package static func readSigmaMap(_ path: String, shape: Shape) throws -> [Float] {
    guard shape.rank == 3 else { throw PipelineError.configuration("a sigma map goes with pixels") }
    let map = try PixelArray.read(
      path, channels: shape[0], height: shape[1], width: shape[2], areIntensities: true)
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

/// Flags of pixels from flags of elements: missing in one channel is missing in all.
func everyChannel(_ flags: [Bool], shape: Shape) -> [Bool] {
  guard shape.rank == 3, shape[0] > 1 else { return flags }
  let pixels = shape[1] * shape[2]
  let common = (0..<pixels).map { pixel in
    (0..<shape[0]).allSatisfy { flags[$0 * pixels + pixel] }
  }
  return (0..<shape[0]).flatMap { _ in common }
}
