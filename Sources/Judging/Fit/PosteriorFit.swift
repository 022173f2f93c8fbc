import Foundation
import Inversion
import Likelihoods
import Maps
import Noise
import Numerics
import Probability
import Tensors

/// How well the posterior explains the data: Σ t² over the measured data, t = (y − G(u))/√(σ² + r),
/// averaged over draws and divided by what the model expects of it.
///
/// A datum that can be censored is measured only when it lies inside the range, a < t < b, so its
/// expectation is that of a normal cut off there: E t² = 1 − (b φ(b) − a φ(a))/(Φ(b) − Φ(a)). Of correlated
/// data it is rᵀC⁻¹r, r = y − A G(u), and D is expected.
public struct PosteriorFit: Sendable, Equatable {
  /// 1 when the fit is as good as the noise lets it be; NaN when nothing was measured.
  public let chiSquarePerDatum: Double
  /// P(χ²_n ≥ n · chiSquarePerDatum), n measured data: small when the noise model leaves something
  /// unexplained, near 1 when it claims more noise than there is.
  public let pValue: Double
  /// Whether neighbouring residuals are independent; nil when `unjudged` says why.
  public let whiteness: ResidualWhiteness?
  /// Why there is no `whiteness`.
  public let unjudged: String?

  /// Draws that the average is taken over.
  private static let drawsUsed = 256

  /// - Parameter lattice: where residuals have neighbours; nil where they have none.
  package init(
    draws: DrawSet, posterior: ImagePosterior, problem: Int, lattice: ResidualLattice?
  ) throws(PlanError) {
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
    if case .correlated(let noise) = posterior.law {
      chiSquarePerDatum =
        try Self.correlatedSum(images, data: data.values, noise) / Double(lanes * data.count)
      pValue = Self.probability(chiSquarePerDatum, count: data.count)
      whiteness = nil
      unjudged = "the noise correlates neighbouring data, and their residuals with them"
      return
    }
    let measured = data.kinds.indices.filter { data.kinds[$0] == .measured }
    let isCensored = data.kinds.contains { $0 == .belowLow || $0 == .aboveHigh }
    var (sum, expected) = (0.0, 0.0)
    var (standardized, weights): ([Double], [Double]) = ([], [])
    for (draw, levelsOfLane) in levels.enumerated() {
      let row = Array(images[draw * pixels..<(draw + 1) * pixels])
      // Of the noise's laws each counts by its share.
      let shares = posterior.responsibilities(mean: row, levelsOfLane, problem: problem)
      var lane = (
        standardized: [Double](repeating: 0, count: data.count),
        weights: [Double](repeating: 0, count: data.count)
      )
      for (law, data) in laws.enumerated() {
        for index in measured {
          let painted = row[law * data.count + index]
          let difference = Double(data.values[index]) - Double(painted)
          let variance = data.variance(index, mean: painted, levelsOfLane)
          sum += shares[law] * difference * difference / variance
          let deviation = variance.squareRoot()
          let (low, high) = (
            (Double(data.low) - Double(painted)) / deviation,
            (Double(data.high) - Double(painted)) / deviation
          )
          let second = isCensored ? truncatedSecondMoment(low, high) : 1
          let first = isCensored ? truncatedMean(low, high) : 0
          expected += shares[law] * second
          // Where neighbours are asked for there is one law.
          lane.weights[index] =
            1 - data.residualVariance(index, mean: painted, levelsOfLane) / variance
          lane.standardized[index] =
            (difference / deviation - first) / max(second - first * first, 1e-12).squareRoot()
        }
      }
      standardized += lane.standardized
      weights += lane.weights
    }
    whiteness = lattice.flatMap { ResidualWhiteness(standardized, weights: weights, on: $0) }
    unjudged =
      whiteness != nil
      ? nil
      : lattice == nil
        ? "the data have no neighbours: they are frequencies, or clipped or many and correlated, or the "
          + "noise has no one law"
        : "too few neighbouring pixels were measured"
    guard !measured.isEmpty else {
      (chiSquarePerDatum, pValue) = (.nan, .nan)
      return
    }
    chiSquarePerDatum = sum / expected
    pValue = Self.probability(chiSquarePerDatum, count: measured.count)
  }

  /// P(χ²_n ≥ n · value).
  private static func probability(_ value: Double, count: Int) -> Double {
    1 - chiSquareProbability(value * Double(count), degrees: Double(count))
  }

  /// Σ rᵀC⁻¹r over rows of means.
  private static func correlatedSum(
    _ means: [Float], data: [Float], _ noise: any NoiseModel
  ) throws(PlanError) -> Double {
    let plan = try noise.makePlan(lanes: means.count / data.count)
    let residuals = means.indices.map { Double(data[$0 % data.count]) - Double(means[$0]) }
    var values = [Double](repeating: 0, count: means.count / data.count)
    var pulls = residuals
    var valueSpan = values.mutableSpan
    var pullSpan = pulls.mutableSpan
    plan.evaluate(residuals.span, logDensities: &valueSpan, gradients: &pullSpan)
    return zip(residuals, pulls).reduce(0) { $0 - $1.0 * $1.1 }
  }
}

/// E(t² | a < t < b) of a standard normal t; 1 where the interval holds almost nothing.
func truncatedSecondMoment(_ a: Double, _ b: Double) -> Double {
  func density(_ t: Double) -> Double { exp(-0.5 * t * t) / (2 * Double.pi).squareRoot() }
  let mass = 0.5 * (erfc(-b / 2.0.squareRoot()) - erfc(-a / 2.0.squareRoot()))
  guard mass > 1e-8 else { return 1 }
  return 1 - (b * density(b) - a * density(a)) / mass
}

/// E(t | a < t < b) of a standard normal t; 0 where the interval holds almost nothing.
func truncatedMean(_ a: Double, _ b: Double) -> Double {
  func density(_ t: Double) -> Double { exp(-0.5 * t * t) / (2 * Double.pi).squareRoot() }
  let mass = 0.5 * (erfc(-b / 2.0.squareRoot()) - erfc(-a / 2.0.squareRoot()))
  guard mass > 1e-8 else { return 0 }
  return (density(a) - density(b)) / mass
}
