import Foundation
import ImageFiles
import Inversion
import Measurement
import Tensors

/// A task's files, read and held against the model: what the posterior needs to know of one picture.
package struct DamagedPicture {
  let task: SolveTask
  let picture: Picture
  /// One flag for each element C·H·W; nil when all are observed.
  let observed: [Bool]?
  let truth: Tensor?
  /// What each datum is.
  let kinds: [PixelKind]
  /// Variances that do not scale with σ²: rounding, and the square of a sigma map.
  let fixedVariances: [Float]
  /// Ends of the range beyond which values are censored.
  private let ends: ClosedRange<Float>
  /// Whether values at the ends of the range are taken as censored.
  let isCensored: Bool
  /// σ given or, to be inferred, where the inference begins; 0 under a sigma map.
  let sigma: Double
  let warnings: [String]

  package init(
    task: SolveTask, options: SolveOptions, model: PAEModel, noise: ResolvedNoise
  ) throws {
    let picture = try Picture.read(path: task.image)
    try Self.check(picture, task.image, against: model)
    self.task = task
    self.picture = picture
    var warnings = picture.warnings
    if picture.alpha != nil {
      warnings.append("\(task.image): opacity is not part of the data; it is copied to the results")
    }
    let observed = try task.mask.map { try Self.readMask($0, for: picture) }
    self.observed = observed
    truth = try task.truth.map { path in
      let truth = try Picture.read(path: path)
      try Self.check(truth, path, against: model)
      return truth.tensor
    }
    guard picture.tensor.values.allSatisfy(\.isFinite) else {
      throw PipelineError.data("\(task.image) holds values that are not finite")
    }
    let (low, high) = (Float(picture.range.lowerBound), Float(picture.range.upperBound))
    switch options.clipping {
    case .yes: isCensored = true
    case .no: isCensored = false
    case .auto:
      isCensored = clippingPileUp(
        picture.tensor.values, observed: observed, low: low, high: high)
    }
    // A sample at an end says "within half a step of it, or beyond".
    let halfStep = Float(picture.quantizationStep / 2)
    let kinds = PixelData.kinds(
      of: picture.tensor.values, observed: observed, censored: isCensored, low: low + halfStep,
      high: high - halfStep)
    let rounding = Float(picture.quantizationStep * picture.quantizationStep / 12)
    var fixed = [Float](repeating: rounding, count: picture.tensor.count)
    if let path = options.noise.sigmaMap {
      fixed = zip(fixed, try Self.readSigmaMap(path, for: picture)).map { $0 + $1 * $1 }
    }
    switch options.noise.level {
    case .known(let value): sigma = value
    case .inSpectrum: sigma = noise.spectrumSigma ?? 1
    case .none: sigma = 0
    case .inferred:
      let local = estimateSigma(
        picture: picture.tensor, kinds: kinds, low: low + halfStep, high: high - halfStep)
      sigma = local / (try noise.shape.localShare()).squareRoot()
    }
    self.warnings = warnings
    self.kinds = kinds
    fixedVariances = fixed
    ends = low + halfStep...high - halfStep
  }

  var values: [Float] { picture.tensor.values }
  var observedCount: Int { kinds.count { $0 != .unobserved } }

  /// The data as independent ones whose variances include the residual's.
  package func pixelData(residualVariances: [Float]) -> PixelData {
    PixelData(
      values: values, kinds: kinds,
      extraVariances: zip(fixedVariances, residualVariances).map { $0 + $1 },
      low: ends.lowerBound, high: ends.upperBound)
  }

  var observedFraction: Double {
    guard let observed else { return 1 }
    return Double(observed.count { $0 }) / Double(observed.count)
  }

  /// Refuses a picture whose size or channels are not the model's.
  private static func check(_ picture: Picture, _ path: String, against model: PAEModel) throws {
    let image = model.description.image
    let name = path == "-" ? "standard input" : path
    guard picture.width == image.width, picture.height == image.height else {
      throw PipelineError.data(
        "\(name) is \(picture.width)x\(picture.height) pixels but the model "
          + "'\(model.description.name)' paints \(image.width)x\(image.height): "
          + "resize or crop the picture, or train a model on pictures of its size")
    }
    guard picture.tensor.shape[0] == image.channels else {
      let kinds = [1: "grey", 3: "RGB"]
      throw PipelineError.data(
        "\(name) is \(kinds[picture.tensor.shape[0]] ?? "?") but the model "
          + "'\(model.description.name)' paints \(kinds[image.channels] ?? "?"): "
          + "convert the picture, or choose another --model")
    }
  }

  /// White (≥ 50 % of the range) = observed, for every channel of a pixel.
  static func readMask(_ path: String, for picture: Picture) throws -> [Bool] {
    let mask = try Picture.read(path: path)
    guard mask.width == picture.width, mask.height == picture.height else {
      throw PipelineError.data(
        "the mask \(path) is \(mask.width)x\(mask.height) pixels but the picture is "
          + "\(picture.width)x\(picture.height): give a mask of the picture's size")
    }
    let pixels = mask.width * mask.height
    let middle = Float((mask.range.lowerBound + mask.range.upperBound) / 2)
    let channels = mask.tensor.shape[0]
    let flags = (0..<pixels).map { pixel in
      let sum = (0..<channels).reduce(Float(0)) { $0 + mask.tensor.values[$1 * pixels + pixel] }
      return sum / Float(channels) >= middle
    }
    guard flags.contains(true) else {
      throw PipelineError.data(
        "the mask \(path) is black everywhere: nothing would be observed; "
          + "paint observed pixels white")
    }
    return (0..<picture.tensor.shape[0]).flatMap { _ in flags }
  }

  /// One σ for each element, each positive.
  static func readSigmaMap(_ path: String, for picture: Picture) throws -> [Float] {
    let map = try Picture.read(path: path)
    guard map.width == picture.width, map.height == picture.height else {
      throw PipelineError.data(
        "the sigma map \(path) is \(map.width)x\(map.height) pixels but the picture is "
          + "\(picture.width)x\(picture.height): give a map of the picture's size")
    }
    let channels = picture.tensor.shape[0]
    guard map.tensor.shape[0] == 1 || map.tensor.shape[0] == channels else {
      throw PipelineError.data("the sigma map \(path) is RGB but the picture is grey")
    }
    if let bad = map.tensor.values.firstIndex(where: { !($0 > 0) }) {
      let pixel = bad % (map.width * map.height)
      throw PipelineError.data(
        "the sigma map \(path) is not positive at column \(pixel % map.width), row "
          + "\(pixel / map.width): every pixel needs a standard deviation above 0; "
          + "leave pixels out with --mask instead")
    }
    return map.tensor.shape[0] == channels
      ? map.tensor.values : (0..<channels).flatMap { _ in map.tensor.values }
  }
}
