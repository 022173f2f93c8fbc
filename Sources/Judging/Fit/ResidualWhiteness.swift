import Foundation
import Likelihoods
import Maps
import Numerics
import Solving
import Tensors

/// Where residuals have neighbours.
package enum ResidualLattice {
  /// Each datum is an element of a picture C×H×W, in order.
  case pixels(Shape)
  /// Turned data, brought back to the pixels they belong to.
  case turned(ResidualPlaces)

  /// - Throws: what `ResidualPlaces` throws.
  package init?(_ measurement: MeasurementModel) throws(PlanError) {
    if let grid = measurement.grid {
      self = .pixels(grid)
    } else if let turned = measurement.placeable {
      self = .turned(try ResidualPlaces(turned))
    } else {
      return nil
    }
  }
}

// Notation
//   t_i   standardized residual of datum i: (y_i − m_i)/√v_i, or with truncation its mean and spread
//   w_i   share of v_i that is noise and not the decoder's residual, 0 … 1; 0 where nothing was measured
//   ℓ     a lag (rows, columns), half of the plane: the other half gives the same pairs

/// Whether what the picture leaves of the data is white: correlations of neighbours against independence.
///
/// For a lag ℓ, with s_i = w_i t_i and sums over pairs of data that far apart,
/// S_ℓ = Σ s_i s_j/(Σ w_i²w_j²)^½ and ρ_ℓ = Σ s_i s_j/Σ w_i w_j. Where the model holds the t_i are
/// independent with variance 1, so that S_ℓ has mean 0 and variance 1 exactly, different lags do not
/// correlate, and S_ℓ is nearly normal when pairs are many. That is so at the truth, and at one draw of
/// the posterior as well: (draw, data) and (truth, data) have the same distribution (Johnson, Bayesian
/// Analysis 2, 2007). The mean of S_ℓ over draws varies less, so the probabilities err towards 1; products of
/// normal numbers have long tails, so that with few pixels the smallest err towards 0 (of 784 white
/// pixels 0.2 % have a `spectrumP` below 0.001, of as many half of which are masked 0.9 %).
///
/// The weights leave out pixels where the decoder's own error rules: it is smooth, and the model takes it
/// as independent from pixel to pixel.
public struct ResidualWhiteness: Sendable, Equatable {
  /// ρ at lag 1 along rows and along columns, mean over draws.
  public let horizontalCorrelation: Double
  public let verticalCorrelation: Double
  /// P(χ²₂ ≥ S²₀₁ + S²₁₀).
  public let correlationP: Double
  /// P(χ²_L ≥ Σ S²) over L lags of up to `reach` rows and columns (Box and Pierce 1970): correlations
  /// and spectrum being transforms of each other, white noise has none of them.
  public let spectrumP: Double

  /// Below this a correlation is no accident: one picture in a thousand.
  private static let smallestP = 0.001
  /// Below this it is real but of no consequence: the decoder's own error, which is smooth, leaves as
  /// much in pictures that fit. Turned data know of that error's shape.
  private let smallestCorrelation: Double

  /// Whether noise of another colour is the likely cause.
  public var isColoured: Bool {
    let correlation = max(abs(horizontalCorrelation), abs(verticalCorrelation))
    return min(correlationP, spectrumP) < Self.smallestP
      && correlation > smallestCorrelation
  }

  /// Farthest lag, pixels: 24 lags.
  static let reach = 3
  /// Fewer pairs than this, weighted, and S is not nearly normal.
  static let fewestPairs = 30.0

  /// Lags of half the plane; along a row and along a column first.
  static let lags: [(rows: Int, columns: Int)] = {
    var lags = [(rows: 0, columns: 1), (rows: 1, columns: 0)]
    for rows in 0...reach {
      for columns in -reach...reach where rows + abs(columns) > 1 && (rows > 0 || columns > 0) {
        lags.append((rows: rows, columns: columns))
      }
    }
    return lags
  }()

  /// - Parameters:
  ///   - standardized: t, draws × data. - weights: w of each.
  ///   - lattice: where the data lie.
  /// - Returns: nil where neighbours along rows or columns are too few.
  init?(
    _ standardized: [Double], weights: [Double], on lattice: ResidualLattice
  ) {
    let shape: Shape
    let smallest: Double
    var (values, weights) = (standardized, weights)
    switch lattice {
    case .pixels(let grid): (shape, smallest) = (grid, 0.2)
    case .turned(let places):
      (shape, smallest) = (places.shape, 0.1)
      (values, weights) = places.place(values, shares: weights)
    }
    let draws = values.count / shape.count
    var sums = [(score: Double, correlation: Double)?](repeating: (0, 0), count: Self.lags.count)
    for draw in 0..<draws {
      let range = draw * shape.count..<(draw + 1) * shape.count
      let own = Array(weights[range])
      let scores = Self.scores(
        weighted: zip(values[range], own).map { $0 * $1 }, weights: own, shape: shape)
      for (index, score) in scores.enumerated() {
        sums[index] = score.flatMap { score in
          sums[index].map {
            (
              $0.score + score.score / Double(draws),
              $0.correlation + score.correlation / Double(draws)
            )
          }
        }
      }
    }
    self.init(sums, smallestCorrelation: smallest)
  }

  /// - Parameters:
  ///   - sums: for each lag the mean over draws of (S, ρ); nil where pairs are too few.
  ///   - smallestCorrelation: below this a correlation is of no consequence.
  /// - Returns: nil where neighbours along rows or columns are too few.
  init?(_ sums: [(score: Double, correlation: Double)?], smallestCorrelation: Double) {
    self.smallestCorrelation = smallestCorrelation
    guard let horizontal = sums[0], let vertical = sums[1] else { return nil }
    horizontalCorrelation = horizontal.correlation
    verticalCorrelation = vertical.correlation
    func probability(_ scores: [Double]) -> Double {
      let square = scores.reduce(0) { $0 + $1 * $1 }
      return 1 - chiSquareProbability(square, degrees: Double(scores.count))
    }
    correlationP = probability([horizontal.score, vertical.score])
    spectrumP = probability(sums.compactMap { $0?.score })
  }

  /// (S_ℓ, ρ_ℓ) for each lag; nil where pairs are too few.
  /// - Parameters:
  ///   - weighted: s, C×H×W.
  ///   - weights: w, C×H×W.
  /// - Precondition: a shape of three extents, and as many numbers.
  static func scores(
    weighted: [Double], weights: [Double], shape: Shape
  ) -> [(score: Double, correlation: Double)?] {
    precondition(shape.rank == 3 && weighted.count == shape.count)
    precondition(weights.count == shape.count)
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    return lags.map { lag in
      var (products, sum, squares, fourths) = (0.0, 0.0, 0.0, 0.0)
      for channel in 0..<channels {
        for row in 0..<max(height - lag.rows, 0) {
          let columns = max(0, -lag.columns)..<max(0, -lag.columns, min(width, width - lag.columns))
          for column in columns {
            let i = (channel * height + row) * width + column
            let j = i + lag.rows * width + lag.columns
            let weight = weights[i] * weights[j]
            products += weighted[i] * weighted[j]
            sum += weight
            squares += weight * weight
            fourths += weight * weight * weight * weight
          }
        }
      }
      guard squares * squares >= fewestPairs * fourths, squares > 0 else { return nil }
      return (products / squares.squareRoot(), products / sum)
    }
  }
}
