import CLAPACK
import Foundation
import Numerics
import Tensors
import Workers

/// Everything about codes y = z + n seen through white noise n ~ N(0, v I) that does not depend on y:
///
///     ln w_m N(y; μ_m, Σ_m + v I) = score_m · features(y) + offset_m
///     z | y, m ~ N(W_m y + s_m, v W_m),   W_m = I − v P_m,   s_m = v P_m μ_m,   P_m = (Σ_m + v I)⁻¹
///
/// with features(y) = (y_a y_b for a ≤ b, y): one matrix product scores all components of all tiles.
/// Immutable once made.
final class NoisyMixture: @unchecked Sendable {
  let prior: TilePrior
  /// v, intensity².
  let variance: Double
  /// M rounded up to a multiple of 16; the scores that are none are far below any other.
  let paddedComponents: Int
  /// Numbers of features of a tile: K(K+1)/2 + K.
  let featureCount: Int
  /// featureCount × paddedComponents.
  let scores: FloatBuffer
  /// paddedComponents.
  let offsets: FloatBuffer
  /// W, M × K×K (symmetric).
  let gains: FloatBuffer
  /// s, M×K.
  let shifts: FloatBuffer
  /// The variances of the pixels of Bᵀz + e given y and m, M×D; empty unless asked for.
  let pixelVariances: FloatBuffer
  /// L with L Lᵀ = v W, M × K×K, row by row; empty unless asked for.
  let roots: FloatBuffer
  /// ε²/(ε² + v): what is kept of the directions that have no code.
  let residualGain: Float

  /// What besides the means of the codes is wanted.
  struct Parts: OptionSet {
    let rawValue: Int
    static let pixelVariances = Parts(rawValue: 1)
    static let draws = Parts(rawValue: 2)
  }

  /// Cost: M K³, over the pool's workers.
  /// - Precondition: `variance` > 0.
  init(_ prior: TilePrior, variance: Double, parts: Parts, pool: WorkerPool?) {
    precondition(variance > 0 && variance.isFinite, "noise has a positive variance")
    let density = prior.density
    let (size, count) = (density.dimension, density.componentCount)
    self.prior = prior
    self.variance = variance
    paddedComponents = (count + 15) / 16 * 16
    featureCount = density.triangle + size
    scores = FloatBuffer(featureCount * paddedComponents)
    offsets = FloatBuffer([Float](repeating: -1e30, count: paddedComponents))
    gains = FloatBuffer(count * size * size)
    shifts = FloatBuffer(count * size)
    pixelVariances = FloatBuffer(parts.contains(.pixelVariances) ? count * prior.tileCount : 0)
    roots = FloatBuffer(parts.contains(.draws) ? count * size * size : 0)
    residualGain = Float(prior.residualVariance / (prior.residualVariance + variance))
    let spread = parts.contains(.pixelVariances) ? Self.residualSpread(prior, variance) : []
    let work = { [self] (component: Int) in
      condition(component, parts)
      if parts.contains(.pixelVariances) { spreadVariances(component, spread) }
    }
    if let pool { pool.run(count, work) } else { (0..<count).forEach(work) }
  }

  private func condition(_ component: Int, _ parts: Parts) {
    let density = prior.density
    let size = density.dimension
    guard let (upper, logDeterminant) = density.factor(component, adding: variance) else {
      preconditionFailure("a covariance with noise added is positive definite")
    }
    var matrix = upper
    let status = LAPACKE_dpotri_work(
      LAPACK_COL_MAJOR, 0x55 /* U */, Int32(size), &matrix, Int32(size))
    precondition(status == 0, "a factor with a positive diagonal has an inverse")
    for column in 0..<size {
      for row in 0..<column { matrix[row * size + column] = matrix[column * size + row] }
    }
    var place = 0
    for row in 0..<size {
      for column in row..<size {
        let value = matrix[row * size + column]
        scores.pointer[place * paddedComponents + component] = Float(
          row == column ? -0.5 * value : -value)
        place += 1
      }
    }
    var square = 0.0
    for row in 0..<size {
      var pull = 0.0
      for column in 0..<size {
        pull += matrix[row * size + column] * Double(density.means[component * size + column])
      }
      square += pull * Double(density.means[component * size + row])
      scores.pointer[(place + row) * paddedComponents + component] = Float(pull)
      shifts.pointer[component * size + row] = Float(variance * pull)
    }
    let weight = density.weights[component]
    if weight > 0 {
      offsets.pointer[component] = Float(
        log(weight) - 0.5 * logDeterminant - halfLogTwoPi * Double(size) - 0.5 * square)
    }
    for index in matrix.indices { matrix[index] *= -variance }
    for index in 0..<size { matrix[index * size + index] += 1 }
    let start = component * size * size
    for index in matrix.indices { gains.pointer[start + index] = Float(matrix[index]) }
    if parts.contains(.draws) { root(&matrix, component) }
  }

  /// The lower factor of v W. Rounding can leave W a little short of positive definite where the prior is
  /// far narrower than the noise: then the smallest addition to its diagonal that helps is made.
  private func root(_ matrix: inout [Double], _ component: Int) {
    let size = prior.latent
    for index in matrix.indices { matrix[index] *= variance }
    var factor = matrix
    var addition = 1e-15 * variance
    // LAPACK's upper factor, column by column, is the lower one row by row.
    while LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 0x55, Int32(size), &factor, Int32(size)) != 0 {
      factor = matrix
      for index in 0..<size { factor[index * size + index] += addition }
      addition *= 10
    }
    let start = component * size * size
    for row in 0..<size {
      for column in 0...row {
        roots.pointer[start + row * size + column] = Float(factor[row * size + column])
      }
    }
  }

  /// diag(Bᵀ v W B) of a component, and what the directions without a code add.
  private func spreadVariances(_ component: Int, _ residual: [Float]) {
    let (size, count) = (prior.latent, prior.tileCount)
    var product = [Float](repeating: 0, count: size * count)
    multiply(
      m: size, n: count, k: size, alpha: Float(variance),
      gains.pointer + component * size * size, lda: size, prior.basis, ldb: count,
      into: &product, ldc: count)
    let variances = pixelVariances.pointer + component * count
    for pixel in 0..<count { variances[pixel] = residual[pixel] }
    for row in 0..<size {
      for pixel in 0..<count {
        variances[pixel] += prior.basis[row * count + pixel] * product[row * count + pixel]
      }
    }
  }

  /// The posterior variances of e: v ε²/(ε² + v) times the diagonal of the projection on what neither
  /// means nor codes span.
  private static func residualSpread(_ prior: TilePrior, _ variance: Double) -> [Float] {
    let area = Double(prior.side * prior.side)
    let kept = variance * prior.residualVariance / (variance + prior.residualVariance)
    return (0..<prior.tileCount).map { pixel in
      var left = 1 - 1 / area
      for row in 0..<prior.latent {
        let value = Double(prior.basis[row * prior.tileCount + pixel])
        left -= value * value
      }
      return Float(max(left, 0) * kept)
    }
  }
}
