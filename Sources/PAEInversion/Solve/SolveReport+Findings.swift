import Foundation
import Galleries
import Numerics

extension SolveReport {
  /// The verdict in words: can the draws be relied on, do they explain the data, is it a picture of the
  /// model's kind.
  var findings: [ReportPage.Finding] { [convergence, explanation, kinship] }

  private var convergence: ReportPage.Finding {
    guard let verdict else {
      return isConverged
        ? .init(
          .good, "The most probable picture was found",
          ["No draws were asked for, so nothing here says how sure it is."])
        : .init(.bad, "The search did not converge", reasons)
    }
    guard verdict.isOK else { return .init(.bad, "Diagnostics fail", reasons.map(Self.sentence)) }
    var details = String(
      format: "R-hat is %.4f at most; there are %.0f effective draws or more, and no divergences",
      verdict.rHatMaximum, min(verdict.bulkESSMinimum, verdict.tailESSMinimum))
    if verdict.eBFMIMinimum.isFinite {
      details += String(format: "; E-BFMI is %.2f or more", verdict.eBFMIMinimum)
    }
    let remarks = (reasons + notes).map(Self.sentence)
    return method == .laplace
      ? .init(.doubtful, "Draws of an approximation: nothing here checks it", remarks)
      : .init(
        .good, "Diagnostics pass: the draws can be relied on", [details + "."] + remarks)
  }

  /// Beyond these probabilities a fit is called bad, or too good: one picture in a thousand each.
  private static let smallestP = 0.001, largestP = 0.999

  private var explanation: ReportPage.Finding {
    guard fit.chiSquarePerDatum.isFinite else {
      return .init(
        .doubtful, "The fit cannot be judged",
        ["No observed datum lies inside the range, so there is no χ²."])
    }
    var details = [
      String(format: "χ² per datum is %.3f, p = %.3g.", fit.chiSquarePerDatum, fit.pValue)
    ]
    if options.noise.level == .inferred {
      details.append("The noise level was inferred from the same data, which draws χ² towards 1.")
    }
    if let white = fit.whiteness {
      details.append(
        String(
          format: "Neighbouring residuals correlate by %.3f along rows and %.3f along columns, "
            + "p = %.3g; over all lags up to three pixels p = %.3g.", white.horizontalCorrelation,
          white.verticalCorrelation, white.correlationP, white.spectrumP))
    } else if let unjudged = fit.unjudged {
      details.append("Whether residuals are white cannot be said: \(unjudged).")
    }
    if let white = fit.whiteness, white.isColoured {
      return .init(
        .bad,
        "The residuals are not white: noise of another colour than told, or structure left over",
        details)
    }
    if fit.pValue < Self.smallestP {
      return .init(
        .bad, "The data scatter more than the noise model allows: something is unexplained",
        details)
    }
    if fit.pValue > Self.largestP {
      return .init(
        .doubtful, "The data scatter less than the noise model says: less noise than claimed",
        details)
    }
    return .init(.good, "The fit is as good as the noise lets it be", details)
  }

  private var kinship: ReportPage.Finding {
    var numbers = String(
      format: "In per cent of the prior: ‖u‖² at %.1f, improbability at %.1f",
      misfit.normPercentile, misfit.densityPercentile)
    if let scale = misfit.scalePercentile {
      numbers += String(format: ", the decoder's error at %.1f", scale)
    }
    numbers += String(format: "; together at %.1f", misfit.percentile)
    if let reading = misfit.readingPercentile {
      numbers += String(format: "; the encoder's misreading at %.1f", reading)
    }
    numbers += "."
    let details = [Self.sentence(misfit.reason), numbers]
    return switch misfit.verdict {
    case .inFamily where modelFault != nil:
      .init(
        .doubtful, "In-family, of a model that is not worth using",
        [Self.sentence(modelFault ?? "")] + details)
    case .inFamily:
      .init(.good, "In-family: the picture is like those that the model knows", details)
    case .doubtful:
      .init(.doubtful, "Doubtful: the picture is unlike most that the model knows", details)
    case .outOfFamily:
      .init(
        .bad, "Out-of-family: the model was not trained on such pictures, do not trust the result",
        details)
    }
  }

  /// With a capital and a full stop.
  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
  }
}
