import Foundation
import ImageFiles
import Numerics
import Tensors

/// ln p(x) over a set of pictures.
public struct MarginalReport: Sendable {
  /// How many pictures, the first of the set, and importance samples of each.
  public let pictures: Int
  public let draws: Int
  /// Mean ln p(x), nats.
  public let mean: Double
  /// Its standard error over pictures; the error of importance sampling is part of that.
  public let error: Double
  /// The part of it that more importance samples would take away.
  public let samplingError: Double
  /// The share of pictures whose k̂ is above 0.7: their ln p(x) may be too small.
  public let unreliableShare: Double

  /// k̂ up to which weights can be relied on (Vehtari et al. 2024).
  static let largestShape = 0.7

  /// nil without pictures.
  package init?(_ estimates: [MarginalLikelihood.Estimate], draws: Int) {
    guard !estimates.isEmpty else { return nil }
    let count = Double(estimates.count)
    let mean = accurateSum(estimates.map(\.value)) / count
    let squares = accurateSum(estimates.map { ($0.value - mean) * ($0.value - mean) })
    pictures = estimates.count
    self.draws = draws
    self.mean = mean
    error = (squares / max(count - 1, 1) / count).squareRoot()
    samplingError = accurateSum(estimates.map { $0.error * $0.error }).squareRoot() / count
    unreliableShare = Double(estimates.count { $0.shape > Self.largestShape }) / count
  }

  package var json: JSONText {
    .object([
      ("log_px", .number(mean)), ("log_px_error", .number(error)),
      ("sampling_error", .number(samplingError)), ("pictures", .integer(pictures)),
      ("samples", .integer(draws)), ("unreliable_share", .number(unreliableShare)),
    ])
  }

  package var text: String {
    String(
      format:
        "marginal: ln p(x) %.2f ± %.2f nats (first %d pictures, %d importance samples or more each: "
        + "error %.3f; k above 0.7 in %.1f %%)\n", mean, error, pictures, draws, samplingError,
      100 * unreliableShare)
  }
}
