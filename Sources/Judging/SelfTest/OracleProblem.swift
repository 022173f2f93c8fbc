import Foundation
import Inversion
import Likelihoods
import Maps
import Noise
import Numerics
import Operators
import Problems
import Randomness
import Sampling
import Tensors

// Notation: x = W u + μ + ε, ε ~ N(0, Σ), y = (x + n)_O, n ~ N(0, σ²N₀)
//   C = σ²N₀ + Σ at the observed elements, B = W_O:
//   precision P = I + BᵀC⁻¹B, mean P⁻¹BᵀC⁻¹(y − μ), evidence ln N(y; μ, C + BBᵀ)

/// A small linear problem whose posterior and evidence are known in closed form, computed by dense
/// algebra in double precision from sums of cosines: it shares nothing with the library but the
/// factorization of a matrix.
package struct OracleProblem {
  package enum Kind: String, CaseIterable {
    case white
    case masked
    case coloured = "masked coloured"
    case residual = "masked coloured with residual"
  }

  static let shape = Shape(1, 6, 6)
  package static let latent = 4
  private static let sigma = 0.15

  package let posterior: ImagePosterior
  package let mean: [Double]
  /// Posterior covariance P⁻¹.
  let covariance: DenseMetric
  package let logEvidence: Double

  package var deviations: [Double] { covariance.variances.map { $0.squareRoot() } }

  /// - Throws: `PipelineError.internal` when the dense algebra fails.
  package init(_ kind: Kind, key: RandomKey) throws {
    let (count, latent) = (Self.shape.count, Self.latent)
    var stream = key.stream()
    let weights = (0..<count * latent).map { _ in Float(0.2 * stream.normal()) }
    let centre = (0..<count).map { _ in Float(0.3 + 0.4 * stream.uniform()) }
    let data = (0..<count).map { centre[$0] + Float(0.25 * stream.normal()) }
    var observed = [Bool](repeating: true, count: count)
    if kind != .white {
      for element in stream.permutation(count).prefix(11) { observed[element] = false }
    }
    let isColoured = kind == .coloured || kind == .residual
    let noise: NoiseShape =
      isColoured
      ? NoiseShape(
        spatial: .stationary(try .power(exponent: 2, knee: 0.1, sigma: 1, height: 6, width: 6)))
      : .white
    let residual =
      kind == .residual
      ? ResidualCovariance(
        variances: (0..<count).map { _ in Float(0.002 + 0.01 * stream.uniform()) },
        factors: (0..<2 * count).map { _ in Float(0.05 * stream.normal()) })
      : .none(count)
    let prior = try LinearGaussianPrior(
      image: Self.shape, weights: weights, mean: centre, residual: residual)
    if isColoured {
      let turned = try DiagonalizedMeasurement(
        GaussianMeasurement(
          forwardOperator: IdentityOperator(shape: Self.shape), observed: observed, noise: noise,
          fixedVariances: [Float](repeating: 0, count: count), residual: residual),
        level: .known(Self.sigma), isScaleInferred: false)
      posterior = ImagePosterior(
        generator: prior.generator, instrument: turned.makeInstrument(),
        logVolume: turned.logVolume, problems: [turned.pixelData(data)],
        noiseLevel: .known([turned.level(of: Self.sigma)]), pictureShape: Self.shape)
    } else {
      posterior = ImagePosterior(
        generator: prior.generator,
        problems: [
          PixelData(
            values: data, kinds: PixelData.kinds(of: data, observed: observed, censored: false),
            extraVariances: [Float](repeating: 0, count: count))
        ], noiseLevel: .known([Self.sigma]))
    }
    let seen = observed.indices.filter { observed[$0] }
    let total = Self.covariance(seen, noise: noise, residual: residual)
    func dense(_ matrix: [Double], _ size: Int) throws -> DenseMetric {
      guard let metric = DenseMetric(covariance: matrix, dimension: size) else {
        throw PipelineError.internal("the oracle's covariance is not positive definite")
      }
      return metric
    }
    let c = try dense(total, seen.count)
    let b = seen.map { row in (0..<latent).map { Double(weights[row * latent + $0]) } }
    let gap = seen.map { Double(data[$0]) - Double(centre[$0]) }
    // L⁻¹ of every column, so that products are BᵀC⁻¹B and BᵀC⁻¹(y − μ).
    let white = (0..<latent).map { column in Self.forward(c, b.map { $0[column] }) }
    let whiteGap = Self.forward(c, gap)
    var precision = [Double](repeating: 0, count: latent * latent)
    for i in 0..<latent {
      for j in 0..<latent {
        precision[i * latent + j] =
          zip(white[i], white[j]).reduce(i == j ? 1.0 : 0) { $0 + $1.0 * $1.1 }
      }
    }
    guard let inverse = DenseMetric(precision: precision, dimension: latent) else {
      throw PipelineError.internal("the oracle's precision is not positive definite")
    }
    covariance = inverse
    let pull = white.map { column in zip(column, whiteGap).reduce(0.0) { $0 + $1.0 * $1.1 } }
    mean = (0..<latent).map { row in
      (0..<latent).reduce(0.0) { $0 + inverse.covariance[row * latent + $1] * pull[$1] }
    }
    var marginal = total
    for (i, row) in b.enumerated() {
      for (j, other) in b.enumerated() {
        marginal[i * seen.count + j] += zip(row, other).reduce(0.0) { $0 + $1.0 * $1.1 }
      }
    }
    let m = try dense(marginal, seen.count)
    let logRoot = (0..<seen.count).reduce(0.0) {
      $0 + log(m.choleskyFactor[$1 * (seen.count + 1)])
    }
    logEvidence =
      -0.5 * (m.squaredLength(of: gap) + Double(seen.count) * log(2 * .pi)) - logRoot
  }

  /// σ²N₀ + Σ at the chosen elements.
  private static func covariance(
    _ elements: [Int], noise: NoiseShape, residual: ResidualCovariance
  ) -> [Double] {
    let side = shape[1]
    return elements.flatMap { i in
      elements.map { j in
        var value = i == j ? 1.0 : 0
        if case .stationary(let spectrum) = noise.spatial {
          value = 0
          for (bin, power) in spectrum.values.enumerated() {
            let phase =
              Double(bin / side * (i / side - j / side) + bin % side * (i % side - j % side))
              / Double(side)
            value += power * cos(2 * .pi * phase) / Double(shape.count)
          }
        }
        value *= sigma * sigma
        if i == j { value += Double(residual.variances[i]) }
        for r in 0..<residual.rank {
          value +=
            Double(residual.factors[r * residual.count + i])
            * Double(residual.factors[r * residual.count + j])
        }
        return value
      }
    }
  }

  /// L⁻¹ v.
  private static func forward(_ metric: DenseMetric, _ vector: [Double]) -> [Double] {
    var result = vector
    let n = metric.dimension
    for row in 0..<n {
      for column in 0..<row {
        result[row] -= metric.choleskyFactor[row * n + column] * result[column]
      }
      result[row] /= metric.choleskyFactor[row * (n + 1)]
    }
    return result
  }
}
