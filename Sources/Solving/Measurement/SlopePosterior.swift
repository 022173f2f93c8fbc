import Foundation
import Inversion
import Numerics
import Probability
import Problems
import Randomness

/// The slope of the noise's power law given the data, from what each draw says of it.
package struct SlopePosterior: Sendable, Equatable {
  /// E s and its standard deviation, by the rule's own weights: no noise beyond that of the draws.
  package let mean: Double
  package let deviation: Double
  /// One exact draw of s for each draw of the picture, chains in turn.
  package let draws: [Double]
  /// Mass at the first and at the last node.
  package let endMasses: (low: Double, high: Double)

  package static func == (a: SlopePosterior, b: SlopePosterior) -> Bool {
    a.mean == b.mean && a.deviation == b.deviation && a.draws == b.draws
      && a.endMasses == b.endMasses
  }

  /// - Parameter terms: for each draw ln(h c_j p(s_j) p(y | m, s_j)), J numbers.
  /// - Precondition: J terms of finite sum each, one draw at least.
  package init(terms: [[Double]], quadrature: SlopeQuadrature, key: RandomKey) {
    var stream = key.stream()
    var masses = [Double](repeating: 0, count: quadrature.slopes.count)
    var draws: [Double] = []
    for row in terms {
      let largest = row.max() ?? 0
      let shares = row.map { exp($0 - largest) }
      let total = shares.reduce(0, +)
      for j in masses.indices { masses[j] += shares[j] / total / Double(terms.count) }
      draws.append(Self.draw(row, quadrature, uniform: stream.uniform()))
    }
    let mean = zip(masses, quadrature.slopes).reduce(0) { $0 + $1.0 * $1.1 }
    let variance = zip(masses, quadrature.slopes).reduce(0) {
      $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean)
    }
    self.mean = mean
    deviation = variance.squareRoot()
    self.draws = draws
    endMasses = (masses[0], masses[masses.count - 1])
  }

  /// Points that a cell between two nodes is divided by.
  private static let divisions = 16

  /// s with the distribution function that `uniform` names: ln of the density is interpolated by cubics
  /// through four nodes, exact for a Gaussian; its integral is the trapezoid rule on a grid 16 times finer.
  private static func draw(
    _ terms: [Double], _ quadrature: SlopeQuadrature, uniform: Double
  ) -> Double {
    let logs = zip(terms, quadrature.logEndFactors).map { $0 - $1 }
    let largest = logs.max() ?? 0
    // What lies 700 nats down has no mass; −∞ would not interpolate.
    let values = logs.map { max($0 - largest, -700) }
    let cells = values.count - 1
    let densities = (0...cells * divisions).map { index in
      let place = Double(index) / Double(divisions)
      let first = min(max(index / divisions - 1, 0), values.count - 4)
      var sum = 0.0
      for i in first..<first + 4 {
        var factor = values[i]
        for k in first..<first + 4 where k != i {
          factor *= (place - Double(k)) / Double(i - k)
        }
        sum += factor
      }
      return exp(sum)
    }
    let total = zip(densities, densities.dropFirst()).reduce(0) { $0 + 0.5 * ($1.0 + $1.1) }
    var rest = uniform * total
    for index in 0..<cells * divisions {
      let mass = 0.5 * (densities[index] + densities[index + 1])
      if rest < mass || index == cells * divisions - 1 {
        let place = (Double(index) + min(rest / mass, 1)) / Double(divisions)
        return quadrature.slopes[0] + place * quadrature.spacing
      }
      rest -= mass
    }
    return quadrature.slopes[cells]
  }
}
