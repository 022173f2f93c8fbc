import Flows
import Foundation
import Inversion
import Maps
import Networks
import Numerics
import Tensors

/// x = W z + μ + ε, z ~ N(0, I), ε ~ N(0, s²I), at the maximum of its likelihood (Tipping and Bishop,
/// J. R. Statist. Soc. B 61, 1999, eqs. 7 and 8): with the K largest eigenvalues λ of the covariance of
/// the pictures (divided by n), their unit vectors U, and R = I,
///
///     s²  the mean of the P − K other eigenvalues
///     W   U (diag λ − s²I)^½, P×K
///     B   M⁻¹ Wᵀ/s² with M = I + WᵀW/s², K×P: the posterior mean of z is B (x − μ)
///
/// All in double precision.
package struct ProbabilisticPCA: Sendable {
  /// μ, P.
  package let mean: [Double]
  /// WWᵀ + s²I; its factors are Wᵀ, K×P.
  package let covariance: FactorAnalysis

  /// s².
  package var variance: Double { covariance.variances[0] }

  /// Cost O(n P² + P³).
  /// - Throws: `TrainingError.noComponents` when there are no K directions and a variance left over.
  package init(images: any ImageSource, latent: Int) throws(TrainingError) {
    let size = images.shape.count
    guard latent < size else {
      throw .noComponents("pictures of \(size) elements have at most \(size - 1) with a rest")
    }
    guard size <= ResidualFit.largestDimension else {
      throw .noComponents(
        "pictures of \(size) elements are too large, the most is \(ResidualFit.largestDimension)")
    }
    let (mean, moments) = SecondMoments.centered(images)
    let axes = PrincipalAxes(moments, count: latent)
    let rest = (axes.trace - axes.values.reduce(0, +)) / Double(size - latent)
    // Rounding leaves 1e-16 of the trace in directions in which nothing varies.
    guard rest > 1e-12 * axes.trace, rest > Double(Float.leastNormalMagnitude) else {
      throw .noComponents("the pictures vary in no more than \(latent) directions")
    }
    var factors: [Double] = []
    for axis in 0..<latent {
      let length = max(axes.values[axis] - rest, 0).squareRoot()
      factors += axes.vectors[axis * size..<(axis + 1) * size].map { length * $0 }
    }
    self.mean = mean
    covariance = FactorAnalysis(
      variances: [Double](repeating: rest, count: size), factors: factors)
  }

  /// That of a model file whose objective is `ppca`; nil for others, or where the decoder is no linear
  /// map of the codes. W, μ and s² are then those of single precision.
  package init?(model: PAEModel) {
    let size = model.imageShape.count
    guard model.description.objective == .ppca,
      case .linear(let latent, let elements)? = model.decoder.layers.first, elements == size,
      model.decoder.parameters.count == size * (latent + 1)
    else { return nil }
    let parameters = model.decoder.parameters.map { Double($0) }
    mean = Array(parameters[(size * latent)...])
    covariance = FactorAnalysis(
      variances: model.residualVariances.map { Double($0) },
      factors: (0..<latent * size).map { parameters[$0 % size * latent + $0 / size] })
  }

  /// ln N(x; μ, WWᵀ + s²I) of each of n pictures, nats: their exact marginal likelihood. Cost O(n K P).
  /// `rows`: n × P, row-major.
  package func logMarginal(of rows: [Float]) -> [Double] {
    let size = mean.count
    precondition(rows.count % size == 0, "pictures are rows of \(size) numbers")
    let block = 512 * size
    return stride(from: 0, to: rows.count, by: block).flatMap { start in
      let end = min(start + block, rows.count)
      return covariance.logDensities(
        of: (start..<end).map { Double(rows[$0]) - mean[$0 % size] })
    }
  }

  /// The posterior mean as encoder, x̂ = W z + μ as decoder.
  func networks(
    image: Shape
  ) throws(NetworkError) -> (encoder: Network, decoder: Network) {
    let (size, latent) = (mean.count, covariance.rank)
    let weights = covariance.scoreWeights
    let bias = (0..<latent).map { row in
      (0..<size).reduce(0) { $0 - weights[row * size + $1] * mean[$1] }
    }
    let transposed = (0..<size * latent).map {
      covariance.factors[$0 % latent * size + $0 / latent]
    }
    return (
      try Network(
        domain: image, layers: [.flatten, .linear(inputs: size, outputs: latent)],
        parameters: (weights + bias).map { Float($0) }),
      try Network(
        domain: Shape(latent), layers: [.linear(inputs: latent, outputs: size), .reshape(image)],
        parameters: (transposed + mean).map { Float($0) })
    )
  }
}
