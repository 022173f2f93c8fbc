import Diagnostics
import Foundation
import ImageFiles
import Inversion
import Measurement
import Probability
import Tensors

/// `report.json` of one picture, schema 1.
public struct SolveReport: Sendable {
  public struct Seconds: Sendable, Equatable {
    public var total = 0.0
    public var map = 0.0
    public var warmup = 0.0
    public var sampling = 0.0
  }

  /// Against the truth, when it is given.
  public struct Quality: Sendable, Equatable {
    /// Decibels.
    public let psnr: Double
    public let ssim: Double
    /// Share of pixels whose truth lies in the central 90 % interval; nil for `--method map`.
    public let coverage90: Double?

    init(picture: Tensor, truth: Tensor, coverage90: Double?) {
      psnr = PAEInversion.Quality.peakSignalToNoise(picture, truth: truth)
      ssim = PAEInversion.Quality.structuralSimilarity(picture, truth: truth)
      self.coverage90 = coverage90
    }
  }

  public struct ModeEntry: Sendable, Equatable {
    /// Share of the Laplace masses of the modes found.
    public let weight: Double
    /// Nats, with all constants.
    public let logDensity: Double
    /// Relative to the result folder; nil for modes of less than one per cent.
    public let file: String?
  }

  public let command: String
  public let options: SolveOptions
  public let modelName: String
  public let modelDigest: String
  public let imagePath: String
  public let width: Int
  public let height: Int
  public let channels: Int
  public let observedFraction: Double
  public let isCensored: Bool
  /// The σ given, or its posterior mean and standard deviation; nil under a sigma map.
  public let sigma: (mean: Double, deviation: Double?)?
  /// What of the decoder's residual was part of the model.
  public let residualKind: SolveOptions.Residual
  /// Posterior mean and standard deviation of α, how much larger than usual the decoder's residual is;
  /// nil where it is not inferred.
  public let residualScale: (mean: Double, deviation: Double)?
  public let seconds: Seconds
  public let gradients: Int
  /// Gradients that chains asked for / gradients computed, of the whole batch; nil for `--method map`.
  package let laneUtilization: Double?
  /// nil for `--method map`.
  public let verdict: Verdict?
  /// Iterations of the warmup that were run: it ends when step size and metric have settled.
  public let warmupLength: Int?
  public let acceptance: Double?
  public let stepsPerDraw: Double?
  /// Whether the climb to the best mode converged.
  public let isConverged: Bool
  public let modes: [ModeEntry]
  public let fit: PosteriorFit
  public let misfit: PriorMisfit
  public let quality: Quality?
  /// The standard deviation shown white in `std.png`.
  public let deviationScale: Double?
  let latentDimension: Int

  init(
    command: String, options: SolveOptions, model: (name: String, digest: String),
    solution: Solution, pictures: SolutionPictures, latentDimension: Int, seconds: Seconds,
    gradients: Int, laneUtilization: Double?, posterior: ImagePosterior,
    measurement: MeasurementModel, prior: PriorReference
  ) throws {
    residualKind = measurement.residualKind
    self.command = command
    self.options = options
    modelName = model.name
    modelDigest = model.digest
    imagePath = solution.picture.task.image
    let shape = pictures.map.shape
    (channels, height, width) = (shape[0], shape[1], shape[2])
    observedFraction = solution.picture.observedFraction
    isCensored = solution.picture.isCensored
    self.seconds = seconds
    self.gradients = gradients
    self.laneUtilization = laneUtilization
    self.latentDimension = latentDimension
    isConverged = solution.modes.isConverged
    let shown = pictures.modes.count
    modes = solution.modes.entries.enumerated().map { index, entry in
      ModeEntry(
        weight: entry.weight, logDensity: entry.mode.logDensity,
        file: index < shown ? "modes/" + SolutionFiles.numbered(index) : nil)
    }
    let draws: DrawSet
    if let run = solution.run {
      draws = run.draws
      verdict = Verdict(
        draws: solution.baseDraws ?? draws, energies: run.energies, divergences: run.divergences)
      warmupLength = run.warmupLength
      acceptance = run.acceptance
      stepsPerDraw = run.stepsPerDraw
    } else {
      draws = solution.modes.bestDraw
      (verdict, warmupLength, acceptance, stepsPerDraw) = (nil, nil, nil, nil)
    }
    sigma = Self.sigma(options, solution, draws, posterior.latentDimension)
    residualScale = posterior.logScaleIndex.map { Self.level($0, draws) }
    fit = try PosteriorFit(
      draws: draws, posterior: posterior, problem: solution.problem, grid: measurement.grid)
    misfit = try PriorMisfit(
      draws: solution.baseDraws ?? solution.bestBase, prior: prior,
      scale: posterior.residualScale)
    quality = pictures.quality
    deviationScale = pictures.standardDeviation.map { Double($0.values.max() ?? 0) }
      .map { $0 > 0 ? $0 : 1 }
  }

  private static func sigma(
    _ options: SolveOptions, _ solution: Solution, _ draws: DrawSet, _ latent: Int
  ) -> (mean: Double, deviation: Double?)? {
    switch options.noise.level {
    case .none: return nil
    case .known(let value): return (value, nil)
    case .inSpectrum: return (solution.picture.sigma, nil)
    case .inferred:
      let level = level(latent, draws)
      return (level.mean, draws.chains * draws.draws > 1 ? level.deviation : nil)
    }
  }

  /// Mean and standard deviation of e to the power of a coordinate.
  private static func level(_ index: Int, _ draws: DrawSet) -> (mean: Double, deviation: Double) {
    let values = draws.coordinate(index).joined().map { exp($0) }
    let mean = accurateSum(values) / Double(values.count)
    let squares = accurateSum(values.map { ($0 - mean) * ($0 - mean) })
    return (mean, (squares / Double(max(values.count - 1, 1))).squareRoot())
  }

  /// Whether the answer can be relied on: the contract's diagnostics, or for `--method map` that the
  /// climb converged.
  public var isOK: Bool { reasons.isEmpty }

  /// In words why not.
  public var reasons: [String] {
    if let verdict { return verdict.reasons }
    return isConverged ? [] : ["the search for the most probable picture did not converge"]
  }

  var title: String {
    let name = imagePath == "-" ? "standard input" : (imagePath as NSString).lastPathComponent
    return "\(command) \(name)"
  }

  var captions: [String] {
    var first = "model \(modelName), "
    switch options.noise.level {
    case .none: first += "noise from a sigma map"
    case .known(let value): first += "noise \(Self.short(value))"
    case .inSpectrum: first += "noise \(Self.short(sigma?.mean ?? .nan))"
    case .inferred:
      first += "noise inferred " + Self.short(sigma?.mean ?? .nan)
      if let deviation = sigma?.deviation { first += " ± " + Self.short(deviation) }
    }
    first += options.noise.isWhite ? "" : ", coloured"
    first += isCensored ? ", ends of the range censored" : ""
    if let quality {
      first += String(format: ", PSNR %.1f dB", quality.psnr)
    }
    guard let verdict else { return [first + ", most probable picture only"] }
    let second =
      verdict.isOK
      ? String(
        format: "%d draws, R-hat %.3f, effective draws %.0f or more: diagnostics pass",
        options.chains * options.draws, verdict.rHatMaximum,
        min(verdict.bulkESSMinimum, verdict.tailESSMinimum))
      : "DIAGNOSTICS FAIL: " + (verdict.reasons.first ?? "")
    return [first, second]
  }

  private static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
