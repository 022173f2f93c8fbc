import Foundation
import Inversion
import Likelihoods
import Numerics

/// h(m) of residuals r = x − m, m = g(e(x)), and how much their size differs between pictures, from pictures
/// that the weights were not fitted to.
///
///     r ~ N(0, α²h(m) + ρ) for each element, ln α ~ N(0, deviation²) for each picture
///
/// with ρ the variance of rounding, which is known. Both sizes are taken where ±1.96 standard deviations hold 95 % of the residuals, of a knot's elements
/// or of a picture's, in turn: residuals have heavier tails than a normal law, and with second moments
/// the few worst would set the width of everything (on 300 Fashion-MNIST pictures intervals of 90 % then
/// held 93.7 %, with these 92.6 %, at the same error of the mean). An element belongs to the nearest knot in √m.
///
/// |r| ≤ 1.96 √(α²h + ρ) says that (r²/1.96² − ρ)/α² ≤ h, so h is a quantile of these numbers, and α² one
/// of (r²/1.96² − ρ)/h over the elements where h is above ρ: the others say nothing of α.
package struct IntensityFit: Sendable {
  /// Of h: a thousandth of the variance of rounding to 8 bits, below which nothing can be told.
  package static let floor: Float = 1e-3 / (255 * 255 * 12)
  /// The share that 1.96 standard deviations of a normal law hold.
  static let share = 0.95
  static let deviations: Float = 1.959964
  /// Of α².
  private static let leastScale: Float = 1e-6
  /// Knots with fewer elements take the line between their neighbours, in ln h.
  static let fewest = 100
  private static let fewestRatios = 20
  private static let rounds = 12

  package let variance: IntensityVariance
  /// Of ln α; nil where it cannot be told.
  package let logScaleDeviation: Double?

  /// - Parameters:
  ///   - residuals, means: n × P, row-major.
  ///   - rounding: ρ.
  package init(residuals: [Float], means: [Float], rounding: Float = 0, dimension: Int) {
    precondition(residuals.count == means.count && residuals.count % dimension == 0)
    let pictures = residuals.count / dimension
    let count = IntensityVariance.usualCount
    var members = [[Int32]](repeating: [], count: count)
    for (index, mean) in means.enumerated() {
      let root = min(max(mean, 0), 1).squareRoot()
      members[Int((root * Float(count - 1)).rounded())].append(Int32(index))
    }
    var knots = [Float](repeating: 1, count: count)
    // α².
    var scales = [Float](repeating: 1, count: pictures)
    let excesses = residuals.map { $0 * $0 / (Self.deviations * Self.deviations) - rounding }
    for _ in 0..<Self.rounds {
      let variances = members.map { members -> Float? in
        guard members.count >= Self.fewest else { return nil }
        return max(
          Self.quantile(members.map { excesses[Int($0)] / scales[Int($0) / dimension] }),
          Self.floor)
      }
      knots = Self.filled(variances)
      let law = IntensityVariance(knots: knots)
      for picture in scales.indices {
        let ratios = (picture * dimension..<(picture + 1) * dimension).compactMap { index in
          let h = law.evaluate(means[index]).value
          return h > rounding ? excesses[index] / h : nil
        }
        // Too few, or none: as any other picture.
        scales[picture] =
          ratios.count < Self.fewestRatios ? 1 : max(Self.quantile(ratios), Self.leastScale)
      }
      let middle = exp(scales.reduce(0) { $0 + log($1) } / Float(max(pictures, 1)))
      for picture in scales.indices { scales[picture] /= middle }
      knots = knots.map { max($0 * middle, Self.floor) }
    }
    variance = IntensityVariance(knots: knots, rounding: rounding)
    let squares = scales.reduce(0.0) { $0 + Double(0.25 * log($1) * log($1)) }
    let deviation = (squares / Double(max(pictures - 1, 1))).squareRoot()
    // Below a thousandth it is rounding.
    logScaleDeviation = pictures >= 2 && deviation > 1e-3 ? deviation : nil
  }

  /// What 95 % of the numbers are below.
  private static func quantile(_ numbers: [Float]) -> Float {
    let sorted = numbers.sorted()
    return sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)]
  }

  /// Gaps filled along ln h; the ends by their nearest neighbour.
  private static func filled(_ knots: [Float?]) -> [Float] {
    let known = knots.indices.filter { knots[$0] != nil }
    guard let first = known.first, let last = known.last else {
      return knots.map { _ in floor }
    }
    return knots.indices.map { index in
      if let value = knots[index] { return value }
      if index < first { return knots[first]! }
      if index > last { return knots[last]! }
      let before = known.last { $0 < index }!
      let after = known.first { $0 > index }!
      let share = Float(index - before) / Float(after - before)
      return exp((1 - share) * log(knots[before]!) + share * log(knots[after]!))
    }
  }
}
