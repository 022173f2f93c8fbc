import Numerics
import Randomness

/// Σ = diag(variances): O(D) a step.
public struct DiagonalMetric: Metric, Equatable {
  public let variances: [Double]
  private let inverseDeviations: [Double]

  public var dimension: Int { variances.count }

  /// - Precondition: every variance is finite and above zero.
  public init(variances: [Double]) {
    precondition(
      variances.allSatisfy { $0 > 0 && $0.isFinite }, "variances must be finite and above zero")
    self.variances = variances
    inverseDeviations = variances.map { 1 / $0.squareRoot() }
  }

  /// Σ = I.
  public init(dimension: Int) {
    self.init(variances: [Double](repeating: 1, count: dimension))
  }

  public func drawMomentum(into momentum: inout [Double], from stream: inout RandomStream) {
    for i in momentum.indices { momentum[i] = inverseDeviations[i] * stream.normal() }
  }

  public func velocity(of momentum: [Double], into velocity: inout [Double]) {
    for i in momentum.indices { velocity[i] = variances[i] * momentum[i] }
  }

  public func squaredLength(of displacement: [Double]) -> Double {
    var sum = 0.0
    for i in displacement.indices { sum += displacement[i] * displacement[i] / variances[i] }
    return sum
  }
}
