import Foundation
import ImageFiles
import Problems

extension SolveReport {
  /// Stable keys; null where a number does not exist or is not finite.
  public var json: JSONText {
    var members: [(key: String, value: JSONText)] = [
      ("schema", .integer(1)), ("command", .string(command)),
      ("version", .string(PAEInvert.version)),
      ("seed", .string(String(options.seed))),
      (
        "model",
        .object([
          ("name", .string(modelName)), ("sha256", modelDigest.map { .string($0) } ?? .null),
          ("reason", options.modelReason.map { .string($0) } ?? .null),
        ])
      ),
      (
        "image",
        .object([
          ("path", .string(imagePath)), ("width", .integer(width)), ("height", .integer(height)),
          ("channels", .integer(channels)), ("observed_fraction", .number(observedFraction)),
        ])
      ),
      ("data", data.json),
      ("warnings", .array(warnings.map { .string($0.text) })),
      ("noise", noise), ("method", .string(method.rawValue)),
      ("space", .string(options.space.rawValue)),
      ("chains", .integer(drawCounts.chains)),
      ("draws", .integer(drawCounts.draws)),
      ("warmup", .integer(hasWarmup ? options.warmup : 0)),
      ("warmup_length", .integer(warmupLength ?? 0)),
      (
        "seconds",
        .object([
          ("total", .number(seconds.total)), ("map", .number(seconds.map)),
          ("warmup", .number(seconds.warmup)), ("sampling", .number(seconds.sampling)),
        ])
      ),
      ("gradients", .integer(gradients)), ("diagnostics", diagnostics),
      ("modes", .array(modes.map(Self.mode))), ("groups", .array(groups.map(Self.group))),
      (
        "evidence",
        evidence.map { .object([("log", .number($0.log)), ("error", .optional($0.error))]) }
          ?? .null
      ),
      (
        "importance",
        importance.map {
          .object([("k_hat", .number($0.shape)), ("ess", .number($0.effectiveSampleSize))])
        } ?? .null
      ),
      (
        "jumps",
        jumps.map {
          .object([("proposed", .integer($0.proposed)), ("accepted", .integer($0.accepted))])
        } ?? .null
      ),
      ("fit", fitted), ("prior_misfit", kinship),
      ("std_scale", .optional(deviationScale)),
    ]
    if let quality {
      members.append(
        (
          "quality",
          .object([
            ("psnr", .number(quality.psnr)), ("ssim", .number(quality.ssim)),
            ("coverage90", .optional(quality.coverage90)),
          ])
        ))
    }
    return .object(members)
  }

  private var fitted: JSONText {
    var members: [(key: String, value: JSONText)] = [
      ("chi2_per_datum", .number(fit.chiSquarePerDatum)), ("p_value", .number(fit.pValue)),
      ("correlation_horizontal", .optional(fit.whiteness?.horizontalCorrelation)),
      ("correlation_vertical", .optional(fit.whiteness?.verticalCorrelation)),
      ("correlation_p", .optional(fit.whiteness?.correlationP)),
      ("spectrum_p", .optional(fit.whiteness?.spectrumP)),
    ]
    if !fit.chiSquarePerDatum.isFinite {
      members.append(("reason", .string("no observed datum lies inside the range")))
    } else if let unjudged = fit.unjudged {
      members.append(("reason", .string(unjudged)))
    }
    return .object(members)
  }

  private var kinship: JSONText {
    .object([
      ("norm_percentile", .number(misfit.normPercentile)),
      ("density_percentile", .number(misfit.densityPercentile)),
      ("scale_percentile", .optional(misfit.scalePercentile)),
      ("reading_percentile", .optional(misfit.readingPercentile)),
      ("percentile", .number(misfit.percentile)),
      ("verdict", .string(kinshipVerdict.rawValue)), ("reason", .string(kinshipReason)),
    ])
  }

  private var noise: JSONText {
    var members: [(key: String, value: JSONText)] = []
    let kind = options.noise.kind
    let isSlopeInferred = options.noise.spectrum.isSlopeInferred
    switch options.noise.level {
    case .none: members = [("kind", .string("sigma-map"))]
    case .known, .inSpectrum:
      members = [("kind", .string(kind)), ("sigma", .optional(sigma?.mean))]
    case .inferred:
      members = [
        ("kind", .string(isSlopeInferred ? kind : kind + "-inferred")),
        ("sigma_mean", .optional(sigma?.mean)),
        ("sigma_sd", .optional(sigma?.deviation)),
      ]
    }
    switch options.noise.spectrum {
    case .white, .given: break
    case .power(let exponent, let knee):
      members += [("exponent", .number(exponent)), ("knee", .number(knee))]
    case .inferredPower(let knee):
      members += [
        ("slope_mean", .optional(slope?.mean)), ("slope_sd", .optional(slope?.deviation)),
        ("knee", .number(knee)),
      ]
    case .file(let path): members.append(("spectrum", .string(path)))
    }
    if let path = options.noise.sigmaMap { members.append(("file", .string(path))) }
    members.append(("censored", .bool(isCensored)))
    members.append(("residual", .string(residualKind.rawValue)))
    if let residualScale {
      members += [
        ("residual_scale_mean", .number(residualScale.mean)),
        ("residual_scale_sd", .number(residualScale.deviation)),
      ]
    }
    switch solver {
    case nil: break
    case .dense: members.append(("solver", .string("dense")))
    case .fourier: members.append(("solver", .string("fourier")))
    case .conjugateGradients(let tolerance, let error):
      members += [
        ("solver", .string("cg")), ("tolerance", .number(tolerance)),
        ("log_determinant_error", .number(error)),
      ]
    }
    return .object(members)
  }

  private var diagnostics: JSONText {
    .object([
      ("ok", .bool(isOK)), ("reasons", .array(reasons.map { .string($0) })),
      ("notes", .array(notes.map { .string($0) })),
      ("rhat_max", .optional(verdict?.rHatMaximum)),
      ("ess_bulk_min", .optional(verdict?.bulkESSMinimum)),
      ("ess_tail_min", .optional(verdict?.tailESSMinimum)),
      ("divergences", verdict.map { .integer($0.divergences) } ?? .null),
      ("ebfmi_min", .optional(verdict?.eBFMIMinimum)), ("acceptance", .optional(acceptance)),
      ("leapfrogs_per_draw", .optional(stepsPerDraw)),
    ])
  }

  /// Chains have one; `warmupLength` tells its length.
  private var hasWarmup: Bool { warmupLength != nil }

  private static func group(_ group: GroupEntry) -> JSONText {
    .object([
      ("chains", .array(group.chains.map { .integer($0) })), ("share", .number(group.share)),
      ("smc_share", .optional(group.particleShare?.share)),
      ("smc_share_error", .optional(group.particleShare?.error)),
      ("file", .string(group.file)),
    ])
  }

  private static func mode(_ mode: ModeEntry) -> JSONText {
    .object([
      ("weight", .number(mode.weight)), ("weight_error", .optional(mode.weightError)),
      ("laplace_weight", .number(mode.laplaceWeight)),
      ("log_density", .number(mode.logDensity)),
      ("file", mode.file.map { .string($0) } ?? .null),
    ])
  }
}
