import Foundation
import Inversion
import Measurement

/// h(m) of residuals r = x − m, m = g(e(x)), and how much their size differs between pictures, from pictures
/// that the weights were not fitted to.
///
///     r ~ N(0, α²h(m)) for each element, ln α ~ N(0, deviation²) for each picture
///
/// Both sizes are taken where ±1.96 standard deviations hold 95 % of the residuals, of a knot's elements
/// or of a picture's, in turn: residuals have heavier tails than a normal law, and with second moments
/// the few worst would set the width of everything (on 300 Fashion-MNIST pictures intervals of 90 % then
/// held 93.7 %, with these 92.6 %, at the same error of the mean). An element belongs to the nearest knot in √m.
package struct IntensityFit: Sendable {
  /// No variance below that of rounding to 8 bits.
  package static let floor: Float = 1 / (255 * 255 * 12)
  /// The share that 1.96 standard deviations of a normal law hold.
  static let share = 0.95
  static let deviations: Float = 1.959964
  /// Knots with fewer elements take the line between their neighbours, in ln h.
  static let fewest = 100
  private static let rounds = 12

  package let variance: IntensityVariance
  /// Of ln α; nil where it cannot be told.
  package let logScaleDeviation: Double?

  /// - Parameters: n × P, row-major.
  package init(residuals: [Float], means: [Float], dimension: Int) {
    precondition(residuals.count == means.count && residuals.count % dimension == 0)
    let pictures = residuals.count / dimension
    let count = IntensityVariance.usualCount
    var members = [[Int32]](repeating: [], count: count)
    for (index, mean) in means.enumerated() {
      let root = min(max(mean, 0), 1).squareRoot()
      members[Int((root * Float(count - 1)).rounded())].append(Int32(index))
    }
    var knots = [Float](repeating: 1, count: count)
    var scales = [Float](repeating: 1, count: pictures)
    for _ in 0..<Self.rounds {
      let widths = members.map { members -> Float? in
        guard members.count >= Self.fewest else { return nil }
        return Self.width(members.map { abs(residuals[Int($0)]) / scales[Int($0) / dimension] })
      }
      knots = Self.filled(widths.map { $0.map { max($0 * $0, Self.floor) } })
      let law = IntensityVariance(knots: knots)
      for picture in scales.indices {
        let own = picture * dimension..<(picture + 1) * dimension
        scales[picture] = max(
          Self.width(own.map { abs(residuals[$0]) / law.evaluate(means[$0]).value.squareRoot() }),
          1e-3)
      }
      let middle = exp(scales.reduce(0) { $0 + log($1) } / Float(max(pictures, 1)))
      for picture in scales.indices { scales[picture] /= middle }
      knots = knots.map { max($0 * middle * middle, Self.floor) }
    }
    variance = IntensityVariance(knots: knots)
    let squares = scales.reduce(0.0) { $0 + Double(log($1) * log($1)) }
    let deviation = (squares / Double(max(pictures - 1, 1))).squareRoot()
    // Below a thousandth it is rounding.
    logScaleDeviation = pictures >= 2 && deviation > 1e-3 ? deviation : nil
  }

  /// The standard deviation of a normal law that holds as much as these sizes do.
  private static func width(_ sizes: [Float]) -> Float {
    let sorted = sizes.sorted()
    return sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)] / deviations
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
