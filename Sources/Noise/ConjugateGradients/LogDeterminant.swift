import Foundation
import Maps
import Numerics

/// ln det N = −ln det SᵀS + tr ln B, B = S N Sᵀ, the trace by stochastic Lanczos quadrature (Ubaru,
/// Chen and Saad 2017): the mean of zᵀf(B)z over vectors z of random signs.
enum LogDeterminant {
  /// Of the quadrature, nats: far below any standard error that matters.
  private static let tolerance = 1e-6

  /// The value and its standard error. Where tr B is known, f(λ) = ln λ − (λ − 1), and tr B − D is
  /// added: the first order of ln, which is most of the spread, is not left to chance. As many probes
  /// as data are unit vectors instead, and there is no error.
  /// - Throws: `unusable` when rounding has made B indefinite.
  static func estimate(
    _ covariance: WhitenedCovariance, _ settings: ConjugateGradients, elementsAreExact: Bool,
    name: String
  ) throws(PlanError) -> (value: Double, error: Double) {
    let dimension = covariance.map.dimension
    let lanczos = Lanczos(covariance, limit: IterativeNoise.lanczosLimit)
    let start = Scratch(dimension)
    let isExact = settings.probes >= dimension
    let count = isExact ? dimension : settings.probes
    var forms: [Double] = []
    for probe in 0..<count {
      if isExact {
        start.pointer.update(repeating: 0, count: dimension)
        start.pointer[probe] = 1
      } else {
        var stream = settings.key.child("probe").child(probe).stream()
        for index in 0..<dimension { start.pointer[index] = stream.next() >> 63 == 0 ? 1 : -1 }
      }
      forms.append(
        lanczos.form(
          { elementsAreExact ? log($0) - ($0 - 1) : log($0) }, start.pointer,
          tolerance: isExact ? tolerance / Double(dimension) : tolerance))
      guard lanczos.smallestNode > 0 else {
        throw .unusable(
          "the covariance of \(name) is singular to rounding; add independent noise")
      }
    }
    let total = forms.reduce(0, +)
    let known = covariance.map.logDeterminant + (elementsAreExact ? excessTrace(covariance) : 0)
    if isExact { return (known + total, 0) }
    let mean = total / Double(count)
    let squares = forms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    // One probe says nothing about its own error.
    let error = (squares / Double(count - 1) / Double(count)).squareRoot()
    return (known + mean, error.isNaN ? .infinity : error)
  }

  /// tr B − D when the diagonal of B₀ = G N₀ Gᵀ is 1: with (I + V Vᵀ)⁻¹ = I − Q (Λ/(1 + Λ)) Qᵀ,
  /// tr B = D + Σ_r λ_r/(1 + λ_r) (1 − q_rᵀB₀q_r), and q_rᵀB₀q_r = q_rᵀ G N Gᵀ q_r − λ_r.
  private static func excessTrace(_ covariance: WhitenedCovariance) -> Double {
    let (map, dimension) = (covariance.map, covariance.map.dimension)
    return map.directions.withUnsafeBufferPointer { directions in
      var excess = 0.0
      for (index, value) in map.eigenvalues.enumerated() {
        let form = covariance.factorForm(directions.baseAddress! + index * dimension)
        excess += value / (1 + value) * (1 + value - form)
      }
      return excess
    }
  }
}
