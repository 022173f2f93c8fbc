import Maps
import Networks
import Tensors

/// Probabilistic PCA's prior: x = W u + μ + ε. Its posterior under Gaussian noise is known in closed
/// form, which makes it the oracle of the whole stack.
public struct LinearGaussianPrior: Prior {
  public let generator: any DifferentiableMap
  public let residualVariances: [Float]

  /// - Parameters:
  ///   - weights: W, D×K row-major, D = `image.count`.
  ///   - mean: μ, D.
  ///   - residualVariances: D, each ≥ 0.
  /// - Throws: `NetworkError` when the numbers of values do not fit or one is not finite.
  public init(
    image: Shape, weights: [Float], mean: [Float], residualVariances: [Float]
  ) throws(NetworkError) {
    let latent = image.count == 0 ? 0 : weights.count / image.count
    precondition(residualVariances.count == image.count && residualVariances.allSatisfy { $0 >= 0 })
    self.residualVariances = residualVariances
    generator = try Network(
      domain: Shape(latent),
      layers: [.linear(inputs: latent, outputs: image.count), .reshape(image)],
      parameters: weights + mean)
  }
}
