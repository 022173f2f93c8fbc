import Foundation
import Numerics

// Notation
//   s    slope of the noise: N₀(s) has P(k) ∝ (k² + knee²)^(−s/2)
//   s_j  nodes, h apart        c_j  1, and ½ at both ends

/// The trapezoid rule over the slope of a power law: ∫ p(s) f(s) ds ≈ h Σ_j c_j p(s_j) f(s_j), with the
/// prior p(s) = N(2, 1²) cut off to [0, 5]: white noise to clouds steeper than any detector's. For f of
/// Gaussian shape with standard deviation d the rule's relative error is 2 exp(−2π² d²/h²) (Poisson
/// summation), 5e-9 at h = d and 3e-4 at h = 1.5 d, as long as the nodes reach far enough.
package struct SlopeQuadrature: Sendable, Equatable {
  /// s_j, ascending.
  package let slopes: [Double]
  /// h.
  package let spacing: Double

  package static let priorMean = 2.0
  package static let priorDeviation = 1.0
  package static let range = 0.0...5.0

  /// Over the whole range, for a first search: h = ½.
  package static let coarse = SlopeQuadrature(over: range, count: 11)

  /// - Precondition: an interval inside the range that is not a point; four nodes at least, as the
  ///   interpolation between them needs.
  package init(over interval: ClosedRange<Double>, count: Int) {
    precondition(count >= 4 && interval.lowerBound < interval.upperBound)
    precondition(
      interval.lowerBound >= Self.range.lowerBound && interval.upperBound <= Self.range.upperBound)
    let spacing = (interval.upperBound - interval.lowerBound) / Double(count - 1)
    self.spacing = spacing
    slopes = (0..<count).map {
      $0 == count - 1 ? interval.upperBound : interval.lowerBound + Double($0) * spacing
    }
  }

  /// Nodes `step` apart or a little nearer, from `reach` steps below the centre to as many above, as far
  /// as the range goes.
  /// - Precondition: a positive step; a centre in the range.
  package init(around center: Double, step: Double, reach: Int) {
    let extent = Double(reach) * step
    let lower = max(center - extent, Self.range.lowerBound)
    let upper = min(center + extent, Self.range.upperBound)
    self.init(
      over: lower...upper, count: max(4, Int(((upper - lower) / step - 1e-9).rounded(.up)) + 1))
  }

  /// The same spacing with `count` more nodes below or above, as far as the range goes.
  package func extended(below: Int, above: Int) -> SlopeQuadrature {
    let lower = max(slopes[0] - Double(below) * spacing, Self.range.lowerBound)
    let upper = min(slopes[slopes.count - 1] + Double(above) * spacing, Self.range.upperBound)
    return SlopeQuadrature(
      over: lower...upper,
      count: Int(((upper - lower) / spacing - 1e-9).rounded(.up)) + 1)
  }

  /// ln c_j.
  package var logEndFactors: [Double] {
    slopes.indices.map { $0 == 0 || $0 == slopes.count - 1 ? log(0.5) : 0 }
  }

  /// ln(h c_j p(s_j)).
  package var logWeights: [Double] {
    func below(_ slope: Double) -> Double {
      0.5 * erfc((Self.priorMean - slope) / (Self.priorDeviation * 2.0.squareRoot()))
    }
    let mass = below(Self.range.upperBound) - below(Self.range.lowerBound)
    return zip(slopes, logEndFactors).map { slope, end in
      let deviation = (slope - Self.priorMean) / Self.priorDeviation
      return end + log(spacing) - 0.5 * deviation * deviation
        - log(Self.priorDeviation * (2 * Double.pi).squareRoot() * mass)
    }
  }

  /// Where a density of Gaussian shape peaks and how wide it is, from ln(h c_j p(s_j) f(s_j)): the parabola
  /// through the largest value and its neighbours.
  package func peak(of terms: [Double]) -> (center: Double, deviation: Double) {
    let values = zip(terms, logEndFactors).map { $0 - $1 }
    let top = values.indices.max { values[$0] < values[$1] } ?? 0
    let middle = min(max(top, 1), values.count - 2)
    let slope = 0.5 * (values[middle + 1] - values[middle - 1])
    let curvature = values[middle + 1] - 2 * values[middle] + values[middle - 1]
    guard curvature < 0, curvature.isFinite else { return (slopes[top], spacing) }
    let center = slopes[middle] - slope / curvature * spacing
    return (
      min(max(center, slopes[max(top - 1, 0)]), slopes[min(top + 1, slopes.count - 1)]),
      spacing / (-curvature).squareRoot()
    )
  }
}
