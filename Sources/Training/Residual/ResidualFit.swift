import Foundation
import Inversion
import Likelihoods
import Noise
import Numerics

/// The covariance Σ = diag(s) + Σ_r f_r f_rᵀ of residuals r = x − g(e(x)) of pictures that the weights
/// were not fitted to.
///
///     n, P   pictures, elements of a picture
///     d      max(Σᵢ r² / n, floor), P: what the diagonal of Σ is made to be, exactly
///
/// Residuals differ in scale from picture to picture by a factor of ten (of Fashion-MNIST the fourth
/// moments of single pixels are 17 and not 3 times the squared variance), and a fit to plain second
/// moments follows the few worst pictures: 64 factors fitted to 5,000 of its training pictures gained
/// 0.3 ± 2.1 nats a picture on 5,000 others, with weights 11.0 ± 0.5. So correlations come from factor
/// analysis in which a picture weighs P / rᵀΣ⁻¹r, whatever its scale (Tyler, Ann. Stat. 15, 1987: the
/// estimate for any elliptical distribution), Σ being diag(d) at first and then the fit before;
/// variances come from the residuals as they are.
///
/// The floor is one of s and not of the diagonal of Σ: a linear combination of pixels that the factors
/// explain must not count as known exactly either, and s in a denominator stays away from zero. As d has
/// it too, the diagonal of Σ is d whatever the rank.
package struct ResidualFit: Sendable {
  /// One 8-bit grey level as a variance: pixels that never vary (image corners) have residuals of
  /// 1e-9 and would otherwise count as known exactly.
  package static let floor = 1.0 / (255 * 255)
  /// Ranks that are tried.
  package static let ranks = [0, 4, 8, 16, 32, 64, 96]
  /// How often pictures are weighed anew: with four strong factors among 60 elements the first weights
  /// left two to four times the squared error of the correlations that the third did.
  private static let reweighings = 2
  /// EM ends with a step that gains less, in nats a picture: at 0.02 that error was twice as large.
  private static let tolerance = 1e-3
  /// Elements of the largest pictures that get factors: their second moments take 128 MB.
  package static let largestDimension = 4096

  /// A rank and how well it tells pictures that it was not fitted to.
  package struct Score: Sendable, Equatable {
    package let rank: Int
    /// Mean ln p of a picture's residual, nats.
    package let logLikelihood: Double
    /// Standard error of the gain over rank 0, nats.
    package let gainError: Double
  }

  package let covariance: ResidualCovariance
  /// Mean and standard deviation over pictures of ln α = ½ ln(rᵀΣ⁻¹r / P), the size of a picture's
  /// residual against Σ; nil with less than two pictures.
  package let logScale: (mean: Double, deviation: Double)?
  /// One for each rank tried, rising; empty with less than two pictures.
  package let scores: [Score]
  /// The residual by painted intensity; nil without painted pictures.
  package let intensity: IntensityFit?

  /// - Parameters:
  ///   - residuals: n × P, row-major; about zero, whatever their mean.
  ///   - means: the painted pictures g(e(x)), n × P.
  ///   - rounding: variance of what the pictures lost by being stored in whole grey levels.
  package init(_ residuals: [Float], means: [Float]? = nil, rounding: Float = 0, dimension: Int) {
    intensity = means.map {
      IntensityFit(residuals: residuals, means: $0, rounding: rounding, dimension: dimension)
    }
    let count = residuals.count / dimension
    precondition(count > 0 && residuals.count == count * dimension)
    let half = count / 2
    // At most a factor for four pictures of a half and for two elements.
    let largest = dimension <= Self.largestDimension ? min(half / 4, dimension / 2) : 0
    let ranks = Self.ranks.filter { $0 <= largest }
    let middle = half * dimension
    let halves = [residuals[..<middle], residuals[middle...]]
    var densities = [[Double]](repeating: [], count: ranks.count)
    if half > 0 {
      for (own, other) in [(halves[1], halves[0]), (halves[0], halves[1])] {
        let fits = Self.fits(own, dimension: dimension, ranks: ranks)
        for index in fits.indices { densities[index] += fits[index].logDensities(of: other) }
      }
    }
    let chosen = half > 0 ? Self.choose(densities) : 0
    scores = half == 0 ? [] : ranks.indices.map { Self.score(densities, $0, rank: ranks[$0]) }
    let fit = Self.fits(residuals[...], dimension: dimension, ranks: [ranks[chosen]])[0]
    covariance = ResidualCovariance(
      variances: fit.variances.map { Float($0) }, factors: fit.factors.map { Float($0) })
    // A picture without any residual has no scale.
    let scales = fit.squaredDistances(of: residuals[...]).filter { $0 > 0 }.map {
      0.5 * log($0 / Double(dimension))
    }
    let mean = scales.reduce(0, +) / Double(max(scales.count, 1))
    let squares = scales.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(max(scales.count - 1, 1))).squareRoot()
    logScale = deviation > 0 ? (mean, deviation) : nil
  }

  /// h; nil where a picture's scale cannot be told.
  package var intensityVariance: IntensityVariance? {
    intensity.flatMap { $0.logScaleDeviation == nil ? nil : $0.variance }
  }

  /// What a model's description says of it.
  package var description: ModelDescription.Residual {
    .init(
      rank: covariance.rank, logScaleMean: logScale?.mean, logScaleDeviation: logScale?.deviation,
      intensity: intensityVariance.flatMap { variance in
        intensity?.logScaleDeviation.map {
          .init(
            knots: variance.knots.count, logScaleDeviation: $0,
            rounding: variance.rounding > 0 ? variance.rounding : nil)
        }
      })
  }

  /// The score of the rank that was chosen.
  package var score: Score? { scores.first { $0.rank == covariance.rank } }

  /// The first rank whose loss against the best is within the standard error of that loss, pictures
  /// compared one by one: their likelihoods differ far more from each other than from rank to rank.
  /// - Parameter densities: ln p, one row for each rank.
  static func choose(_ densities: [[Double]]) -> Int {
    let sums = densities.map { $0.reduce(0, +) }
    let best = sums.indices.max { sums[$0] < sums[$1] } ?? 0
    return densities.indices.first {
      let (mean, error) = gain(densities[best], over: densities[$0])
      return mean <= error
    } ?? best
  }

  private static func score(_ densities: [[Double]], _ index: Int, rank: Int) -> Score {
    Score(
      rank: rank,
      logLikelihood: densities[index].reduce(0, +) / Double(densities[index].count),
      gainError: gain(densities[index], over: densities[0]).error)
  }

  /// Mean of the differences and its standard error.
  private static func gain(_ ours: [Double], over theirs: [Double]) -> (mean: Double, error: Double)
  {
    let differences = zip(ours, theirs).map { $0 - $1 }
    let count = Double(differences.count)
    let mean = differences.reduce(0, +) / count
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / max(count - 1, 1) / count).squareRoot())
  }

  /// Σ of each rank, fitted to all rows. Cost O(n P² + P³ + steps R P²) for each.
  private static func fits(
    _ rows: ArraySlice<Float>, dimension: Int, ranks: [Int]
  ) -> [FactorAnalysis] {
    let count = rows.count / dimension
    var totals = [Double](repeating: 0, count: dimension)
    for (index, value) in rows.enumerated() {
      totals[index % dimension] += Double(value) * Double(value)
    }
    let variances = totals.map { max($0 / Double(count), floor) }
    guard let largest = ranks.max(), largest > 0 else {
      return ranks.map { _ in FactorAnalysis(variances: variances) }
    }
    let diagonal = FactorAnalysis(variances: variances)
    let moments = moments(rows, weighedBy: diagonal)
    let axes = PrincipalAxes(moments, count: largest, floor: floor)
    return ranks.map { rank in
      guard rank > 0 else { return diagonal }
      var fit = FactorAnalysis(moments, axes: axes, rank: rank, floor: floor)
      fit.fit(moments, floor: floor, tolerance: tolerance, limit: 200)
      for _ in 0..<reweighings {
        fit.fit(Self.moments(rows, weighedBy: fit), floor: floor, tolerance: tolerance, limit: 200)
      }
      return fit.scaled(toDiagonal: variances, floor: floor)
    }
  }

  /// Second moments with weights P / rᵀΣ⁻¹r; 0 for a picture without any residual.
  private static func moments(
    _ rows: ArraySlice<Float>, weighedBy model: FactorAnalysis
  ) -> SecondMoments {
    let weights = model.squaredDistances(of: rows).map {
      $0 > 0 ? Double(model.dimension) / $0 : 0
    }
    return SecondMoments(rows, dimension: model.dimension, weights: weights)
  }
}

extension FactorAnalysis {
  /// The same correlations with another diagonal of Σ. Where s would fall below the floor it is the
  /// floor, and the factors make up the rest.
  /// - Parameter diagonal: P numbers, each at least `floor`.
  func scaled(toDiagonal diagonal: [Double], floor: Double) -> FactorAnalysis {
    var result = self
    for element in 0..<dimension {
      let column = stride(from: element, to: factors.count, by: dimension)
      let explained = column.reduce(0) { $0 + factors[$1] * factors[$1] }
      let specific = variances[element] / (variances[element] + explained) * diagonal[element]
      result.variances[element] = max(specific, floor)
      guard explained > 0 else {
        result.variances[element] = diagonal[element]
        continue
      }
      let rest = max(diagonal[element] - result.variances[element], 0)
      let scale = (rest / explained).squareRoot()
      for index in column { result.factors[index] *= scale }
    }
    return result
  }
}

extension TrainingRecord {
  /// Notes what the residual's factors gain.
  mutating func note(_ fit: ResidualFit) {
    heldOutResidualLogLikelihood = fit.score?.logLikelihood
    heldOutDiagonalResidualLogLikelihood = fit.scores.first?.logLikelihood
  }
}
