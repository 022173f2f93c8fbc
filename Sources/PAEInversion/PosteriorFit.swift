import Foundation
import Inversion
import Maps
import Measurement
import Probability
import Tensors

/// How well the posterior explains the data: Σ t² over the measured data, t = (y − G(u))/√(σ² + r),
/// averaged over draws and divided by what the model expects of it.
///
/// A datum that can be censored is measured only when it lies inside the range, a < t < b, so its
/// expectation is that of a normal cut off there: E t² = 1 − (b φ(b) − a φ(a))/(Φ(b) − Φ(a)).
public struct PosteriorFit: Sendable, Equatable {
  /// 1 when the fit is as good as the noise lets it be; NaN when nothing was measured.
  public let chiSquarePerDatum: Double
  /// P(χ²_n ≥ n · chiSquarePerDatum), n measured data: small when the noise model leaves something
  /// unexplained, near 1 when it claims more noise than there is.
  public let pValue: Double

  /// Draws that the average is taken over.
  private static let drawsUsed = 256

  init(draws: DrawSet, posterior: ImagePosterior, problem: Int) throws(PlanError) {
    let laws = posterior.data(of: problem)
    let data = laws[0]
    let total = draws.chains * draws.draws
    let lanes = min(Self.drawsUsed, total)
    let (latent, pixels) = (posterior.latentDimension, posterior.meanMap.codomain.count)
    var base = [Float](repeating: 0, count: lanes * latent)
    var levels: [NoiseLevels] = []
    base.withUnsafeMutableBufferPointer { rows in
      for lane in 0..<lanes {
        let index = lane * total / lanes
        let position = draws.position(chain: index / draws.draws, draw: index % draws.draws)
        levels.append(posterior.levels(of: position, problem: problem))
        posterior.mapped(position, levels: levels[lane], into: rows.baseAddress! + lane * latent)
      }
    }
    var images = [Float](repeating: 0, count: lanes * pixels)
    var span = images.mutableSpan
    try posterior.meanMap.makePlan(lanes: lanes).apply(base.span, into: &span)
    let measured = data.kinds.indices.filter { data.kinds[$0] == .measured }
    let isCensored = data.kinds.contains { $0 == .belowLow || $0 == .aboveHigh }
    var (sum, expected) = (0.0, 0.0)
    for lane in 0..<lanes {
      let row = Array(images[lane * pixels..<(lane + 1) * pixels])
      // Of the noise's laws each counts by its share.
      let shares = posterior.responsibilities(mean: row, levels[lane], problem: problem)
      for (law, data) in laws.enumerated() {
        for index in measured {
          let painted = row[law * data.count + index]
          let mean = Double(painted)
          let difference = Double(data.values[index]) - mean
          let variance = data.variance(index, mean: painted, levels[lane])
          sum += shares[law] * difference * difference / variance
          let deviation = variance.squareRoot()
          expected +=
            isCensored
            ? truncatedSecondMoment(
              (Double(data.low) - mean) / deviation, (Double(data.high) - mean) / deviation)
            : shares[law]
        }
      }
    }
    guard !measured.isEmpty else {
      (chiSquarePerDatum, pValue) = (.nan, .nan)
      return
    }
    chiSquarePerDatum = sum / expected
    pValue =
      1
      - chiSquareProbability(
        chiSquarePerDatum * Double(measured.count), degrees: Double(measured.count))
  }
}

/// E(t² | a < t < b) of a standard normal t; 1 where the interval holds almost nothing.
func truncatedSecondMoment(_ a: Double, _ b: Double) -> Double {
  func density(_ t: Double) -> Double { exp(-0.5 * t * t) / (2 * Double.pi).squareRoot() }
  let mass = 0.5 * (erfc(-b / 2.0.squareRoot()) - erfc(-a / 2.0.squareRoot()))
  guard mass > 1e-8 else { return 1 }
  return 1 - (b * density(b) - a * density(a)) / mass
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
