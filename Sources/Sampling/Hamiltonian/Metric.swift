import Randomness

/// The geometry of a Hamiltonian: an inverse mass matrix Σ, at its best the covariance of the target.
///
/// Momenta are p ~ N(0, Σ⁻¹), the velocity is Σ p and the kinetic energy ½ pᵀ Σ p (nats, without
/// its constant). All vectors have `dimension` elements.
public protocol Metric: Sendable {
  /// D.
  var dimension: Int { get }
  /// The diagonal of Σ.
  var variances: [Double] { get }
  /// p ← L⁻ᵀ ξ with Σ = L Lᵀ and ξ ~ N(0, I), so that Cov p = Σ⁻¹.
  func drawMomentum(into momentum: inout [Double], from stream: inout RandomStream)
  /// v ← Σ p.
  func velocity(of momentum: [Double], into velocity: inout [Double])
  /// dᵀ Σ⁻¹ d, the squared Mahalanobis length.
  func squaredLength(of displacement: [Double]) -> Double
}
