import Foundation
import Galleries

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
    let details = [
      String(
        format: "‖u‖² of the draws lies at percentile %.1f of the prior.", misfit.normPercentile)
    ]
    return switch misfit.verdict {
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
