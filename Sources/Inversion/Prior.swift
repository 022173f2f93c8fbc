import Maps
import Noise
import Tensors

/// What pictures are thought to be before any data: x = generator(u) + ε with u ~ N(0, I) and
/// ε ~ N(0, Σ), the part that the generator cannot paint.
public protocol Prior: Sendable {
  /// From base variables u (its domain) to mean images C×H×W (its codomain).
  var generator: any DifferentiableMap { get }
  /// Σ, over the elements of the image in row-major order C×H×W.
  var residual: ResidualCovariance { get }
}

extension Prior {
  /// K: how many base variables there are.
  public var latentDimension: Int { generator.domain.count }
  /// C×H×W.
  public var imageShape: Shape { generator.codomain }
  /// Variance of ε for each element of the image, the diagonal of Σ; squared intensity. Cost O(R P).
  public var residualVariances: [Float] { residual.marginalVariances }
}
