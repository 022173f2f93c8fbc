import Numerics
import Randomness

/// Σ = L Lᵀ, a full covariance: D² multiplications a velocity, D²/2 a momentum.
public struct DenseMetric: Metric, Equatable {
  public let dimension: Int
  /// Σ, D × D.
  public let covariance: [Double]
  /// L, lower triangular, D × D row-major, zeros above the diagonal.
  public let choleskyFactor: [Double]

  public var variances: [Double] { (0..<dimension).map { covariance[$0 * (dimension + 1)] } }

  /// Σ = `covariance`, D × D row-major; only its lower triangle is read. Nil when that is not
  /// positive definite or not finite.
  public init?(covariance: [Double], dimension: Int) {
    precondition(covariance.count == dimension * dimension, "a covariance is D × D")
    guard let factor = CholeskyFactor(covariance, dimension: dimension) else { return nil }
    var symmetric = covariance
    for i in 0..<dimension {
      for j in 0..<i { symmetric[j * dimension + i] = symmetric[i * dimension + j] }
    }
    self.dimension = dimension
    self.covariance = symmetric
    self.choleskyFactor = factor.lower
  }

  /// Σ = `precision`⁻¹: from the negative Hessian of a log density, or its Gauss–Newton part,
  /// D × D row-major. Nil when that is not positive definite or not finite. O(D³).
  public init?(precision: [Double], dimension: Int) {
    precondition(precision.count == dimension * dimension, "a precision is D × D")
    guard let factor = CholeskyFactor(precision, dimension: dimension) else { return nil }
    self.init(covariance: factor.inverse, dimension: dimension)
  }

  /// Σ = `factor` · `factor`ᵀ, a lower triangle, D × D row-major. Nil when a number is not finite or the
  /// diagonal is not above zero. O(D³).
  init?(factor: [Double], dimension: Int) {
    precondition(factor.count == dimension * dimension, "a factor is D × D")
    guard factor.allSatisfy(\.isFinite),
      (0..<dimension).allSatisfy({ factor[$0 * (dimension + 1)] > 0 })
    else { return nil }
    var covariance = factor
    for i in 0..<dimension {
      for j in 0...i {
        var sum = 0.0
        for k in 0...j { sum += factor[i * dimension + k] * factor[j * dimension + k] }
        covariance[i * dimension + j] = sum
      }
    }
    for i in 0..<dimension {
      for j in 0..<i { covariance[j * dimension + i] = covariance[i * dimension + j] }
    }
    self.dimension = dimension
    self.covariance = covariance
    choleskyFactor = factor
  }

  /// Back substitution of Lᵀ p = ξ, row by row of L from the last.
  public func drawMomentum(into momentum: inout [Double], from stream: inout RandomStream) {
    for i in momentum.indices { momentum[i] = stream.normal() }
    for i in stride(from: dimension - 1, through: 0, by: -1) {
      let row = i * dimension
      let value = momentum[i] / choleskyFactor[row + i]
      momentum[i] = value
      for j in 0..<i { momentum[j] -= choleskyFactor[row + j] * value }
    }
  }

  public func velocity(of momentum: [Double], into velocity: inout [Double]) {
    multiplySymmetric(covariance, momentum, into: &velocity)
  }

  /// ‖L⁻¹ d‖² by forward substitution.
  public func squaredLength(of displacement: [Double]) -> Double {
    var whitened = displacement
    var sum = 0.0
    for i in 0..<dimension {
      let row = i * dimension
      var value = displacement[i]
      for j in 0..<i { value -= choleskyFactor[row + j] * whitened[j] }
      whitened[i] = value / choleskyFactor[row + i]
      sum += whitened[i] * whitened[i]
    }
    return sum
  }
}
