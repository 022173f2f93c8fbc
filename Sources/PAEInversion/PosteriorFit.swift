import Foundation
import Inversion
import Maps
import Measurement
import Probability
import Tensors

/// How well the posterior explains the data: χ² = Σ (y − G(u))²/(σ² + r) over the measured pixels,
/// averaged over draws.
public struct PosteriorFit: Sendable, Equatable {
  /// χ² over the number of measured (observed, not censored) data; NaN when there is none.
  public let chiSquarePerDatum: Double
  /// P(χ²_n ≥ χ²): small when the noise model leaves something unexplained.
  public let pValue: Double

  /// Draws that the average is taken over.
  private static let drawsUsed = 256

  init(draws: DrawSet, posterior: ImagePosterior, problem: Int) throws(PlanError) {
    let data = posterior.problems[problem]
    let total = draws.chains * draws.draws
    let lanes = min(Self.drawsUsed, total)
    let (latent, pixels) = (posterior.latentDimension, data.count)
    var base: [Float] = []
    var sigmas: [Double] = []
    for lane in 0..<lanes {
      let index = lane * total / lanes
      let position = draws.position(chain: index / draws.draws, draw: index % draws.draws)
      base += position.prefix(latent).map { Float($0) }
      sigmas.append(posterior.sigma(of: position, problem: problem))
    }
    var images = [Float](repeating: 0, count: lanes * pixels)
    var span = images.mutableSpan
    try posterior.generator.makePlan(lanes: lanes).apply(base.span, into: &span)
    let measured = data.kinds.indices.filter { data.kinds[$0] == .measured }
    var sum = 0.0
    for lane in 0..<lanes {
      for index in measured {
        let difference = Double(data.values[index]) - Double(images[lane * pixels + index])
        let variance = sigmas[lane] * sigmas[lane] + Double(data.extraVariances[index])
        sum += difference * difference / variance
      }
    }
    guard !measured.isEmpty else {
      (chiSquarePerDatum, pValue) = (.nan, .nan)
      return
    }
    chiSquarePerDatum = sum / Double(lanes * measured.count)
    pValue =
      1
      - chiSquareProbability(
        chiSquarePerDatum * Double(measured.count), degrees: Double(measured.count))
  }
}

/// Whether the picture looks like the model's pictures: ‖u‖² against χ²_K.
public struct PriorMisfit: Sendable, Equatable {
  public enum Verdict: String, Sendable {
    case inFamily = "in-family"
    case doubtful
    case outOfFamily = "out-of-family"
  }

  /// 100 · P(χ²_K ≤ mean ‖u‖²): how far out the draws lie, in per cent of the prior.
  public let normPercentile: Double

  public var verdict: Verdict {
    if normPercentile < 99 { return .inFamily }
    return normPercentile < 99.9 ? .doubtful : .outOfFamily
  }

  init(draws: DrawSet, latentDimension: Int) {
    var sum = 0.0
    for chain in 0..<draws.chains {
      for draw in 0..<draws.draws {
        for value in draws.position(chain: chain, draw: draw).prefix(latentDimension) {
          sum += value * value
        }
      }
    }
    let mean = sum / Double(draws.chains * draws.draws)
    normPercentile = 100 * chiSquareProbability(mean, degrees: Double(latentDimension))
  }
}
