import Foundation
import Maps
import Numerics

/// Independent noise: n_i ~ N(0, v_i).
public struct DiagonalNoise: NoiseModel {
  /// v, D variances in intensity².
  public let variances: [Double]
  public var dimension: Int { variances.count }

  /// - Throws: `unusable` naming the first variance that is not positive and finite.
  public init(variances: [Double]) throws(PlanError) {
    if let index = variances.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .unusable(
        "noise variance \(index) is \(variances[index]); variances must be positive and finite")
    }
    self.variances = variances
  }

  /// White noise of standard deviation `sigma` (intensity).
  /// - Throws: `unusable` when σ² is not positive and finite.
  public static func white(sigma: Double, dimension: Int) throws(PlanError) -> DiagonalNoise {
    try DiagonalNoise(variances: [Double](repeating: sigma * sigma, count: dimension))
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    DiagonalNoisePlan(lanes: lanes, variances: variances)
  }
}

final class DiagonalNoisePlan: NoisePlan {
  private let lanes: Int
  private let variances: [Double]
  private let deviations: [Double]
  /// −½ Σ ln(2π v_i).
  private let constant: Double

  init(lanes: Int, variances: [Double]) {
    self.lanes = lanes
    self.variances = variances
    deviations = variances.map { $0.squareRoot() }
    var logDeterminant = 0.0
    for variance in variances { logDeterminant += log(variance) }
    constant = -0.5 * logDeterminant - halfLogTwoPi * Double(variances.count)
  }

  func evaluate(
    _ residuals: Span<Double>, logDensities: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    let dimension = variances.count
    precondition(residuals.count == lanes * dimension && gradients.count == residuals.count)
    for lane in 0..<lanes {
      var square = 0.0
      for index in 0..<dimension {
        let position = lane * dimension + index
        let pull = residuals[position] / variances[index]
        square += residuals[position] * pull
        gradients[position] = -pull
      }
      logDensities[lane] = constant - 0.5 * square
    }
  }

  func whiten(_ residuals: Span<Double>, into white: inout MutableSpan<Double>) {
    precondition(residuals.count == lanes * variances.count && white.count == residuals.count)
    for position in residuals.indices {
      white[position] = residuals[position] / deviations[position % variances.count]
    }
  }

  func color(_ white: Span<Double>, into residuals: inout MutableSpan<Double>) {
    precondition(white.count == lanes * variances.count && residuals.count == white.count)
    for position in white.indices {
      residuals[position] = white[position] * deviations[position % variances.count]
    }
  }
}
