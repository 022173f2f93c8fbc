import Foundation
import ImageFiles
import Judging
import Likelihoods
import Probability
import Problems

/// What the data were.
public struct DataRecord: Sendable, Equatable {
  public let format: String
  /// Data units of intensity 0 and 1.
  public let range: DataRange
  public let missing: Int
  public let clipped: Int
  /// Values left out for standing alone at an end of the range.
  public let outliers: Int

  init(format: String, range: DataRange, missing: Int, clipped: Int, outliers: Int) {
    (self.format, self.range) = (format, range)
    (self.missing, self.clipped, self.outliers) = (missing, clipped, outliers)
  }

  init(_ picture: DamagedPicture) {
    (format, range) = (picture.format, picture.range)
    missing = picture.kinds.count { $0 == .unobserved } - picture.isolatedEnds.count
    clipped = picture.kinds.count { $0 == .belowLow || $0 == .aboveHigh }
    outliers = picture.isolatedEnds.count
  }

  var json: JSONText {
    .object([
      ("format", .string(format)),
      ("range", .array([.number(range.low), .number(range.high)])),
      ("missing", .integer(missing)), ("clipped", .integer(clipped)),
      ("outliers", .integer(outliers)),
    ])
  }
}

extension SolveReport {
  /// χ² per datum below this, or above that, with p beyond one in a million, is told.
  private static let leastChiSquare = 0.8, mostChiSquare = 1.5
  private static let smallestP = 1e-6

  /// What the result itself gives reason to say.
  /// - Parameters:
  ///   - draws: in base variables; nil without draws.
  ///   - latent: K.
  ///   - isOneChain: whether a single Markov chain made the draws.
  static func warnings(
    fit: PosteriorFit, draws: DrawSet?, latent: Int, isOneChain: Bool, name: String
  ) -> [Warning] {
    var warnings: [Warning] = []
    if isOneChain {
      warnings.append(
        Warning(
          "\(name): one chain cannot disagree with another, so that R-hat compares its halves alone; run "
            + "four or more (--chains)"))
    }
    let (chiSquare, p) = (fit.chiSquarePerDatum, fit.pValue)
    if chiSquare < leastChiSquare, p > 1 - smallestP {
      warnings.append(
        .doubt(
          String(
            format:
              "%@: the data scatter less than the noise model says (chi2 per datum %.2f): less noise "
              + "than stated, or values called clipped that were not", name, chiSquare)))
    }
    if chiSquare > mostChiSquare, p < smallestP {
      warnings.append(
        .doubt(
          String(
            format:
              "%@: the data scatter more than the noise model allows (chi2 per datum %.2f): more "
              + "noise than stated, outliers, or a picture that the model cannot paint", name,
            chiSquare)))
    }
    if let white = fit.whiteness, white.isColoured, white.spectrumP < smallestP {
      warnings.append(
        .doubt(
          "\(name): residuals of neighbouring pixels are alike: noise of another colour than told, or "
            + "structure that the model cannot paint"))
    }
    if let draws, let left = priorShare(draws, latent: latent), left > 0.9 {
      warnings.append(
        .doubt(
          String(
            format:
              "%@: the data say next to nothing of the picture: %.0f %% of the prior's variance is left, "
              + "so that what is drawn is the prior", name, 100 * left)))
    }
    return warnings
  }

  /// The variance of the base variables, whose prior is N(0, I), on average over the K of them: 1 where the
  /// data say nothing. nil for fewer than 100 draws.
  private static func priorShare(_ draws: DrawSet, latent: Int) -> Double? {
    let total = draws.chains * draws.draws
    guard total >= 100 else { return nil }
    var share = 0.0
    for coordinate in 0..<latent {
      let values = draws.coordinate(coordinate).joined()
      let mean = values.reduce(0, +) / Double(total)
      share += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(total - 1)
    }
    return share / Double(latent)
  }
}
