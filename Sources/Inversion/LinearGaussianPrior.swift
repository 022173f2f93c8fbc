import Maps
import Networks
import Noise
import Tensors

/// Probabilistic PCA's prior: x = W u + μ + ε. Its posterior under Gaussian noise is known in closed
/// form, which makes it the oracle of the whole stack.
public struct LinearGaussianPrior: Prior {
  public let generator: any DifferentiableMap
  public let residual: ResidualCovariance

  /// - Parameters:
  ///   - weights: W, D×K row-major, D = `image.count`.
  ///   - mean: μ, D.
  ///   - residual: Σ over the D elements.
  /// - Throws: `NetworkError` when the numbers of values do not fit or one is not finite.
  public init(
    image: Shape, weights: [Float], mean: [Float], residual: ResidualCovariance
  ) throws(NetworkError) {
    let latent = image.count == 0 ? 0 : weights.count / image.count
    precondition(residual.count == image.count)
    self.residual = residual
    generator = try Network(
      domain: Shape(latent),
      layers: [.linear(inputs: latent, outputs: image.count), .reshape(image)],
      parameters: weights + mean)
  }

  /// A residual of independent elements, one variance for each; otherwise as above.
  public init(
    image: Shape, weights: [Float], mean: [Float], residualVariances: [Float]
  ) throws(NetworkError) {
    try self.init(
      image: image, weights: weights, mean: mean,
      residual: ResidualCovariance(variances: residualVariances))
  }
}
