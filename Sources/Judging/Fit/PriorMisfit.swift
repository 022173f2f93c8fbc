import Diagnostics
import Foundation
import Inversion
import Maps
import Numerics
import Probability

// Notation
//   d    normal score of the density percentile      a    (mean ln α − its prior's mean)/deviation
//   S    (d + w a)/√(1 + w²), or d without α: N(0, 1) over the prior, w = ½

/// Whether the picture looks like the model's pictures: places of its draws in the prior, each a
/// percentile that is high for what the prior would hardly make.
///
/// A draw of the posterior of a picture that the prior made is itself a draw of the prior, so percentiles
/// of single draws are uniform; those of means over draws scatter a little less. The verdict goes by how
/// the encoder reads the draws (`EncoderReading`), by S, which joins the two that are independent in the
/// prior, and by extremes of the norm and of α alone.
///
/// Real pictures are read better than most of the model's own draws, so that the bound on the reading is
/// low; the others have long tails of real pictures, so that theirs are high. The bounds were chosen on 180
/// Fashion-MNIST training pictures that were held out of the training, with noise of 0.1: 93 % are in-family, and
/// of the same upside down 61 % are not. What the two know beside one another is little: the area under
/// the curve is 0.89 by either, 0.90 at best by both. w is a choice and not fitted: from 0.3 to 1 the shares hardly differ.
public struct PriorMisfit: Sendable, Equatable {
  public enum Verdict: String, Sendable {
    case inFamily = "in-family"
    case doubtful
    case outOfFamily = "out-of-family"
  }

  /// 100 · P(χ²_K ≤ mean ‖u‖²): how far out the draws lie, in per cent of the prior.
  public let normPercentile: Double
  /// Per cent of prior draws that are more probable, by the flow's density, than the draws are on average.
  public let densityPercentile: Double
  /// 100 · P(α ≤ its geometric mean over the draws) under the prior of α: how badly the decoder paints
  /// the picture; nil where α is not inferred.
  public let scalePercentile: Double?
  /// Per cent of prior draws that the encoder reads more as they are than the draws; nil without draws.
  public let readingPercentile: Double?

  /// 100 · Φ(S).
  public let percentile: Double

  struct Bounds {
    let joint, norm, scale, reading: Double
  }

  /// From here on a picture is doubtful.
  static let doubtful = Bounds(joint: 99.9, norm: 99.9, scale: 99.5, reading: 83)
  /// From here on it is out-of-family.
  static let outside = Bounds(joint: 99.99, norm: 99.99, scale: 99.9, reading: 95)
  /// w. Of pictures of another kind the density tells more than the decoder's error.
  static let scaleWeight = 0.5

  /// Draws that the density is averaged over.
  private static let drawsUsed = 256

  /// - Parameters:
  ///   - draws: in base variables; what stands behind the K of them is not looked at, but for ln α at the
  ///     end where it is inferred.
  ///   - scale: the prior of α; nil where it is not inferred.
  ///   - reading: see `readingPercentile`.
  /// - Throws: `PlanError` when memory for the flow cannot be had.
  package init(
    draws: DrawSet, prior: PriorReference, scale: ResidualScale?, reading: Double?
  ) throws(PlanError) {
    readingPercentile = reading
    let latent = prior.latentDimension
    let total = draws.chains * draws.draws
    var (norms, logScales) = (0.0, 0.0)
    for start in stride(from: 0, to: total * draws.dimension, by: draws.dimension) {
      for value in draws.positions[start..<start + latent] { norms += value * value }
      logScales += draws.positions[start + draws.dimension - 1]
    }
    normPercentile =
      100 * chiSquareProbability(norms / Double(total), degrees: Double(latent))
    let used = min(Self.drawsUsed, total)
    let base = (0..<used).flatMap { index in
      let start = index * total / used * draws.dimension
      return draws.positions[start..<start + latent]
    }
    let densities = try prior.evaluate(base)
    densityPercentile = prior.percentile(densities.reduce(0, +) / Double(used))
    let deviation = scale.map { (logScales / Double(total) - $0.mean) / $0.deviation }
    scalePercentile = deviation.map(Self.percentile)
    let score = normalQuantile(densityPercentile / 100)
    let weight = Self.scaleWeight
    let joint = deviation.map { (score + weight * $0) / (1 + weight * weight).squareRoot() }
    percentile = Self.percentile(joint ?? score)
  }

  /// 100 Φ(t).
  private static func percentile(_ t: Double) -> Double { 50 * erfc(-t / 2.0.squareRoot()) }

  public var verdict: Verdict {
    if !reasons(Self.outside).isEmpty { return .outOfFamily }
    return reasons(Self.doubtful).isEmpty ? .inFamily : .doubtful
  }

  /// In words why the verdict is what it is.
  public var reason: String {
    let found = reasons(verdict == .outOfFamily ? Self.outside : Self.doubtful)
    return found.isEmpty
      ? "code, residual scale and the encoder's reading are what the prior makes"
      : found.joined(separator: "; ")
  }

  private func reasons(_ bounds: Bounds) -> [String] {
    var found: [String] = []
    if let readingPercentile, readingPercentile >= bounds.reading {
      found.append(
        String(
          format: "the encoder takes it for another picture, more than %.1f %% of the prior's",
          readingPercentile))
    }
    if percentile >= bounds.joint {
      var text = String(
        format: "%.1f %% of the prior's pictures have more probable codes", densityPercentile)
      if let scalePercentile {
        text += String(format: ", and %.1f %% are painted better", scalePercentile)
      }
      found.append(text)
    }
    if normPercentile >= bounds.norm {
      found.append(
        String(format: "the code lies far out, ‖u‖² at percentile %.2f", normPercentile))
    }
    if let scalePercentile, scalePercentile >= bounds.scale {
      found.append(
        String(
          format: "the decoder paints it badly, its error at percentile %.2f", scalePercentile))
    }
    return found
  }
}
