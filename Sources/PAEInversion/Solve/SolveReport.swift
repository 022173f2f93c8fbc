import Diagnostics
import Foundation
import ImageFiles
import Inversion
import Judging
import Numerics
import Probability
import Problems
import Sampling
import Solving
import Tensors

/// `report.json` of one picture, schema 1.
public struct SolveReport: Sendable {
  /// Against the truth, when it is given.
  public struct Quality: Sendable, Equatable {
    /// Decibels.
    public let psnr: Double
    public let ssim: Double
    /// Share of pixels whose truth lies in the central 90 % interval; nil for `--method map`.
    public let coverage90: Double?

    /// Draws that the coverage of the truth is counted in.
    private static let coverageDraws = 400

    /// nil where the truth is not known.
    init?(_ solved: InverseSolution) throws {
      let solution = solved.solution
      guard let truth = solution.picture.truth else { return nil }
      let picture = solved.mean ?? solved.map
      psnr = PictureFidelity.peakSignalToNoise(picture, truth: truth)
      ssim = PictureFidelity.structuralSimilarity(picture, truth: truth)
      guard let run = solution.run else {
        coverage90 = nil
        return
      }
      let many = try PosteriorPictures.drawn(
        Self.coverageDraws, posterior: solved.batch.posterior, problem: solution.problem,
        draws: run.settled ?? run.draws, residual: solved.batch.residual(of: solution.problem),
        key: solved.key("pictures").child("coverage"))
      coverage90 = many.count >= 100 ? PictureFidelity.coverage90(many, truth: truth) : nil
    }
  }

  public struct ModeEntry: Sendable, Equatable {
    /// Share of the draws, where several modes have mass and draws are to tell; else of the Laplace
    /// masses of the modes found.
    public let weight: Double
    /// Standard error of a share of the draws.
    public let weightError: Double?
    /// Share of the Laplace masses.
    public let laplaceWeight: Double
    /// Nats, with all constants.
    public let logDensity: Double
    /// Relative to the result folder; nil for modes of less than one per cent.
    public let file: String?
  }

  /// Chains that agree with one another and not with the others.
  public struct GroupEntry: Sendable {
    /// From 0.
    public let chains: [Int]
    /// Of all chains.
    public let share: Double
    /// Of the posterior, by particles, and its standard error; nil where there were none.
    public let particleShare: (share: Double, error: Double)?
    /// Relative to the result folder.
    public let file: String
  }

  public let command: String
  public let options: SolveOptions
  public let modelName: String
  /// SHA-256 of the model's file; nil for a prior that is in none.
  public let modelDigest: String?
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
  /// Posterior mean and standard deviation of the exponent of the noise's power law; nil where it is not
  /// inferred.
  public let slope: (mean: Double, deviation: Double)?
  /// How data that are not independent were solved; nil for independent ones.
  public let solver: CorrelationSolver?
  public let seconds: SolveSeconds
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
  /// Largest first; empty when the chains agree.
  public let groups: [GroupEntry]
  /// What made the draws; the one asked for unless that gave up.
  public let method: SolveOptions.Method
  /// Chains and draws of each; 0 for `--method map`.
  public let drawCounts: (chains: Int, draws: Int)
  /// ln p(y), nats, and its standard error, as far as the method tells.
  public let evidence: (log: Double, error: Double?)?
  /// k̂ and effective sample size of importance weights.
  public let importance: (shape: Double, effectiveSampleSize: Double)?
  /// Jumps between modes.
  public let jumps: (proposed: Int, accepted: Int)?
  /// What to know of the draws that is no reason against them.
  public let notes: [String]
  private let fallback: String?
  public let fit: PosteriorFit
  public let misfit: PriorMisfit
  public let quality: Quality?
  /// The standard deviation shown white in `std.png`.
  public let deviationScale: Double?
  /// What the data's file is, its numbers for black and white, and how many of them are missing, clipped
  /// and left out for standing alone at an end of the range.
  public let data: DataRecord
  /// What the data, the operator and the result itself give reason to say.
  public let warnings: [Warning]
  /// Those of the result itself.
  let resultWarnings: [Warning]

  /// - Parameters:
  ///   - model: the one that solved.
  ///   - fit: how well the solution explains the data.
  ///   - misfit: whether the picture is of the prior's kind.
  init(
    command: String, model: ReportedModel, solution solved: InverseSolution, fit: PosteriorFit,
    misfit: PriorMisfit
  ) throws {
    let (batch, solution, pictures) = (solved.batch, solved.solution, solved.pictures)
    let (posterior, measurement) = (batch.posterior, batch.measurement)
    let options = batch.solver.options
    residualKind = measurement.residualKind
    solver = measurement.solver
    self.command = command
    self.options = options
    modelName = model.name
    modelDigest = model.digest
    imagePath = solution.picture.task.image
    let shape = pictures.map.shape
    (channels, height, width) = (shape[0], shape[1], shape[2])
    observedFraction = solution.picture.observedFraction
    isCensored = solution.picture.isCensored
    seconds = batch.seconds
    gradients = batch.gradients
    laneUtilization = batch.laneUtilization
    isConverged = solution.modes.isConverged
    let shown = pictures.modes.count
    let run = solution.run
    let shares = run.flatMap { run in
      run.method == .laplace
        ? nil : run.mixture.map { ModeShares(run.draws, mixture: $0) }
    }
    modes = solution.modes.entries.enumerated().map { index, entry in
      ModeEntry(
        weight: shares?.shares[index] ?? entry.weight, weightError: shares?.errors[index],
        laplaceWeight: entry.weight, logDensity: entry.mode.logDensity,
        file: index < shown ? "modes/" + SolutionFiles.numbered(index) : nil)
    }
    groups = (run?.groups ?? []).enumerated().map { index, group in
      GroupEntry(
        chains: group.chains, share: group.share, particleShare: group.particleShare,
        file: "groups/" + SolutionFiles.numbered(index))
    }
    method = run?.method ?? options.method
    drawCounts = run.map { ($0.draws.chains, $0.draws.draws) } ?? (0, 0)
    let logDensityError = measurement.solver?.logDensityError ?? 0
    evidence = run?.evidence.map { ($0.log, $0.error.map { hypot($0, logDensityError) }) }
    importance = run?.importance
    jumps = run?.jumps.map {
      (
        $0.independenceProposals + $0.transportProposals,
        $0.independenceAcceptances + $0.transportAcceptances
      )
    }
    fallback = run?.fallback.map { "fell back to nuts: \($0)" }
    let draws = run?.draws ?? solution.modes.bestDraw
    verdict = solved.verdict
    warmupLength = run?.chains?.warmupLength
    acceptance = run?.chains?.acceptance
    stepsPerDraw = run?.chains?.stepsPerDraw
    sigma = Self.sigma(options, solution, draws, posterior.latentDimension)
    notes = run?.notes ?? []
    residualScale = posterior.logScaleIndex.map { Self.level($0, draws) }
    slope = solution.slope.map { ($0.mean, $0.deviation) }
    self.fit = fit
    self.misfit = misfit
    quality = try Quality(solved)
    deviationScale = pictures.standardDeviation.map { Double($0.values.max() ?? 0) }
      .map { $0 > 0 ? $0 * (solution.picture.form.units?.width ?? 1) : 1 }
    data = DataRecord(solution.picture)
    resultWarnings =
      model.warnings(sigma: sigma?.mean)
      + Self.warnings(
        fit: fit, draws: solution.baseDraws, latent: solved.baseDraws.latentDimension,
        isOneChain: run?.chains != nil && drawCounts.chains == 1,
        name: imagePath == "-" ? "standard input" : imagePath)
    warnings = solved.warnings + resultWarnings
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
  /// climb converged; and no warning makes it doubtful.
  public var isOK: Bool { areDrawsOK && doubts.isEmpty }

  /// Whether the sampler, or the climb, did its work.
  public var areDrawsOK: Bool { verdict?.isOK ?? isConverged }

  /// The warnings that make the answer doubtful.
  var doubts: [String] { warnings.filter(\.isDoubt).map(\.text) }

  /// What the prior misfit says, and not better than doubtful while something makes the answer so.
  public var kinshipVerdict: PriorMisfit.Verdict {
    misfit.verdict == .inFamily && !doubts.isEmpty ? .doubtful : misfit.verdict
  }

  /// In words why.
  public var kinshipReason: String {
    misfit.verdict == .inFamily && !doubts.isEmpty
      ? doubts.joined(separator: "; ") : misfit.reason
  }

  /// In words why not; and why the method asked for was given up, which alone is no harm.
  public var reasons: [String] { samplerReasons + doubts }

  /// The sampler's, or the climb's.
  public var samplerReasons: [String] {
    if let verdict {
      let disagreement =
        groups.isEmpty
        ? []
        : [
          "the chains disagree: \(groups.count) groups of "
            + groups.map { "\($0.chains.count)" }.joined(separator: ", ")
            + " chains, each of which mixes, stay apart; " + settlement
        ]
      return (fallback.map { [$0] } ?? []) + verdict.reasons + disagreement
    }
    return isConverged ? [] : ["the search for the most probable picture did not converge"]
  }

  /// Who decided the groups' shares.
  private var settlement: String {
    let shares = groups.compactMap { group in
      group.particleShare.map { String(format: "%.2f ± %.2f", $0.share, $0.error) }
    }
    return shares.isEmpty
      ? "their shares are those of the chains, not of the posterior"
      : "mean, deviation and samples weigh them by particles (--method smc), "
        + shares.joined(separator: ", ")
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
    if let slope {
      first += " with slope " + Self.short(slope.mean) + " ± " + Self.short(slope.deviation)
    }
    first += isCensored ? ", ends of the range censored" : ""
    if let quality {
      first += String(format: ", PSNR %.1f dB", quality.psnr)
    }
    guard let verdict else { return [first + ", most probable picture only"] }
    let second =
      isOK
      ? String(
        format: "%d draws, R-hat %.3f, effective draws %.0f or more: diagnostics pass",
        drawCounts.chains * drawCounts.draws, verdict.rHatMaximum,
        min(verdict.bulkESSMinimum, verdict.tailESSMinimum))
      : verdict.isOK
        ? "DOUBTFUL: " + (doubts.first ?? "")
        : "DIAGNOSTICS FAIL: " + (verdict.reasons.first ?? "")
    return [first, second]
  }

  private static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
