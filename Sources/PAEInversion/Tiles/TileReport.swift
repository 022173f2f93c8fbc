import Foundation
import ImageFiles
import Judging
import Problems
import Tensors
import Tiles

/// What `report.json` and the summary tell of a picture solved under a prior on tiles.
public struct TileReport: SolverReport {
  /// Of a product against a known truth.
  public struct Fidelity: Sendable, Equatable {
    public let psnr: Double
    public let ssim: Double
  }

  public let command: String
  public let options: SolveOptions
  public let quality: TileOptions.Quality
  public let modelName: String
  public let modelDigest: String
  public let imagePath: String
  /// C×H×W.
  public let shape: Shape
  public let observedFraction: Double
  /// σ as given (with what rounding adds) or estimated; nil under a sigma map.
  public let sigma: Double?
  public let isSigmaEstimated: Bool
  public let isAdapted: Bool
  /// Nats by which the picture's own weights of the mixture differ from the shipped ones; nil unless adapted.
  public let adaptation: Double?
  /// By what variances were multiplied, by data alone; nil where the data gave no scale.
  public let scale: ErrorBarScale?
  /// How many values were taken as "there or beyond" at the ends of the range; nil where none could be.
  public let censored: Int?
  public let draws: Int
  /// Whether there is a best picture.
  public let hasBest: Bool
  public let chiSquarePerDatum: Double
  public let mean: Fidelity?
  public let best: Fidelity?
  /// Share of pixels whose truth lies within 1.645 standard deviations of the mean.
  public let coverage90: Double?
  /// The standard deviation shown white in `std.png`, in the units of the results.
  public let deviationScale: Double
  public let data: DataRecord
  public let warnings: [Warning]
  /// Those of the result itself.
  let resultWarnings: [Warning]
  public let seconds: Double

  public var isOK: Bool { reasons.isEmpty }
  /// The warnings that make the answer doubtful.
  public var reasons: [String] { warnings.filter(\.isDoubt).map(\.text) }

  init(
    command: String, options: SolveOptions, quality: TileOptions.Quality, isAdapted: Bool,
    prior: TilePrior, digest: String, picture: PixelPicture, answer: TileAnswer, seconds: Double
  ) {
    self.command = command
    self.options = options
    self.quality = quality
    self.isAdapted = isAdapted && answer.adaptation != nil
    (modelName, modelDigest) = (prior.name, digest)
    imagePath = picture.task.image
    shape = picture.shown.shape
    observedFraction = picture.observedFraction
    (sigma, isSigmaEstimated) = (answer.sigma, answer.sigmaIsEstimated)
    (adaptation, scale) = (answer.adaptation, answer.scale)
    censored = answer.censored
    draws = answer.draws.count
    hasBest = answer.best != nil
    chiSquarePerDatum = answer.chiSquarePerDatum
    func fidelity(_ product: Tensor?) -> Fidelity? {
      guard let product, let truth = picture.truth else { return nil }
      return Fidelity(
        psnr: PictureFidelity.peakSignalToNoise(product, truth: truth),
        ssim: PictureFidelity.structuralSimilarity(product, truth: truth))
    }
    mean = fidelity(answer.mean)
    best = fidelity(answer.best)
    coverage90 = picture.truth.map { truth in
      let covered = truth.values.indices.count {
        abs(truth.values[$0] - answer.mean.values[$0]) <= 1.645 * answer.deviation.values[$0]
      }
      return Double(covered) / Double(truth.count)
    }
    let largest = Double(answer.deviation.values.max() ?? 0)
    deviationScale = (largest > 0 ? largest : 1) * (picture.form.units?.width ?? 1)
    data = DataRecord(picture)
    resultWarnings = Self.warnings(answer, picture, options)
    warnings = picture.warnings + resultWarnings
    self.seconds = seconds
  }

  /// χ² per datum beyond these is told; that of a picture's thousands of data is 1 within a few per cent.
  private static let leastChiSquare = 0.8, mostChiSquare = 1.25

  /// From this share of clipped values on, under noise of at least that level, error bars cannot be relied on:
  /// on a photograph with 7 % at σ = 0.1 the 90 % intervals covered 72 to 82 %, on one with 1 % they covered 89 %.
  private static let mostClipped = 0.02, leastClippedSigma = 0.03

  private static func warnings(
    _ answer: TileAnswer, _ picture: PixelPicture, _ options: SolveOptions
  ) -> [Warning] {
    let name = picture.task.image == "-" ? "standard input" : picture.task.image
    var warnings: [Warning] = []
    let chiSquare = answer.chiSquarePerDatum
    if chiSquare < leastChiSquare {
      warnings.append(
        .doubt(
          String(
            format:
              "%@: chi2 per datum is %.2f: the data scatter less than the noise level says; check "
              + "--sigma", name, chiSquare)))
    } else if chiSquare > mostChiSquare {
      warnings.append(
        .doubt(
          String(
            format:
              "%@: chi2 per datum is %.2f: the data scatter more than noise and picture explain; "
              + "check --sigma, or let it be estimated", name, chiSquare)))
    }
    if picture.clipped > 0, answer.censored == nil {
      let share = Double(picture.clipped) / Double(picture.tensor.count)
      let text = String(
        format:
          "%@: %.1f %% of the values lie at an end of the range and are taken as measured there; where "
          + "noise was cut off, the mean is drawn inwards and error bars are too narrow", name,
        100 * share)
      let isNoisy = (answer.sigma ?? 0) >= Self.leastClippedSigma
      warnings.append(
        Warning(text, isDoubt: isNoisy && share >= Self.mostClipped))
    }
    if answer.scale == nil {
      let reason =
        picture.forward.isIdentity && options.noise.isWhite
        ? "there are too few data to check the error bars against"
        : "data behind an operator or in coloured noise cannot be held out one by one to check the error bars"
      warnings.append(Warning("\(name): \(reason), so they are the model's own"))
    }
    return warnings
  }

  /// What a reader may want to know though nothing is wrong.
  private var notes: [String] {
    guard let censored, censored > 0 else { return [] }
    return ["\(censored) values at an end of the range count as there or beyond: noise was cut off"]
  }

  /// Stable keys; null where a number does not exist or is not finite.
  public var json: JSONText {
    var members: [(key: String, value: JSONText)] = [
      ("schema", .integer(1)), ("command", .string(command)),
      ("version", .string(PAEInvert.version)), ("seed", .string(String(options.seed))),
      (
        "model",
        .object([
          ("name", .string(modelName)), ("sha256", .string(modelDigest)),
          ("reason", options.modelReason.map { .string($0) } ?? .null),
        ])
      ),
      (
        "image",
        .object([
          ("path", .string(imagePath)), ("width", .integer(shape[2])),
          ("height", .integer(shape[1])), ("channels", .integer(shape[0])),
          ("observed_fraction", .number(observedFraction)),
        ])
      ),
      ("data", data.json), ("noise", noise), ("method", .string("tiles")),
      ("quality_level", .string(quality.rawValue)),
      (
        "adapted",
        isAdapted ? .object([("divergence", .optional(adaptation))]) : .null
      ),
      (
        "scale",
        scale.map {
          .object([
            ("variance_ratio", .number($0.ratio)),
            ("variance_ratios", .array($0.ratios.map { .number($0) })),
          ])
        } ?? .null
      ),
      (
        "products",
        .object([
          ("mean", .string("mean.png")), ("best", hasBest ? .string("map.png") : .null),
        ])
      ),
      ("draws", .integer(draws)), ("seconds", .object([("total", .number(seconds))])),
      (
        "diagnostics",
        .object([
          ("ok", .bool(isOK)), ("reasons", .array(reasons.map { .string($0) })),
          ("notes", .array(notes.map { .string($0) })),
        ])
      ),
      ("warnings", .array(warnings.map { .string($0.text) })),
      ("fit", .object([("chi2_per_datum", .number(chiSquarePerDatum))])),
      ("std_scale", .number(deviationScale)),
    ]
    if let mean {
      members.append(
        (
          "quality",
          .object([
            ("psnr", .number(mean.psnr)), ("ssim", .number(mean.ssim)),
            ("psnr_best", .optional(best?.psnr)), ("ssim_best", .optional(best?.ssim)),
            ("coverage90", .optional(coverage90)),
          ])
        ))
    }
    return .object(members)
  }

  private var noise: JSONText {
    var members: [(key: String, value: JSONText)] = []
    if let sigma {
      members = [
        ("kind", .string(isSigmaEstimated ? "white-estimated" : "white")),
        ("sigma", .number(sigma)),
      ]
    } else {
      members = [("kind", .string("sigma-map"))]
    }
    if !options.noise.isWhite {
      members[0].value = .string(options.noise.kind)
      members.append(("spectrum", .string(options.noise.spectrum.text)))
    }
    if let map = options.noise.sigmaMap { members.append(("file", .string(map))) }
    return .object(members)
  }

  var title: String {
    let name = imagePath == "-" ? "standard input" : (imagePath as NSString).lastPathComponent
    return "\(command) \(name)"
  }

  /// One line on model, noise and fidelity.
  var caption: String {
    var text = "model \(modelName)"
    if isAdapted { text += ", adapted to the picture" }
    if let sigma {
      text += String(format: ", noise %@%.3g", isSigmaEstimated ? "estimated " : "", sigma)
    } else {
      text += ", noise from a sigma map"
    }
    if let mean { text += String(format: ", mean %.1f dB", mean.psnr) }
    if let best { text += String(format: ", best picture %.1f dB", best.psnr) }
    return text
  }

  /// Lines for people.
  public var summary: String {
    var lines: [String] = []
    if let reason = options.modelReason { lines.append("  model \(modelName): \(reason)") }
    if let sigma {
      lines.append(String(format: "  noise %.4g%@", sigma, isSigmaEstimated ? " (estimated)" : ""))
    }
    var fit = String(format: "  fit: chi2 per datum %.2f", chiSquarePerDatum)
    if let scale {
      fit += String(format: "; error bars times %.2f by the data", scale.ratio.squareRoot())
    }
    lines.append(fit)
    lines += notes.map { "  " + $0 }
    if let mean {
      var text = String(format: "  against the truth: mean %.2f dB", mean.psnr)
      if let best { text += String(format: ", best picture %.2f dB", best.psnr) }
      if let coverage90 {
        text += String(format: ", 90 %% intervals cover %.1f %%", 100 * coverage90)
      }
      lines.append(text)
    }
    lines.append(String(format: "  %.1f s, quality %@", seconds, quality.rawValue))
    return lines.joined(separator: "\n")
  }
}

extension DataRecord {
  init(_ picture: PixelPicture) {
    self.init(
      format: picture.format, range: picture.range,
      missing: picture.observed?.count { !$0 } ?? 0, clipped: picture.clipped, outliers: 0)
  }
}
