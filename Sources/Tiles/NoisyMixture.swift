import CLAPACK
import Foundation
import Numerics
import Tensors
import Workers

/// Everything about codes y = z + n seen through white noise n ~ N(0, v I) that does not depend on y:
///
///     ln w_m N(y; μ_m, Σ_m + v I) = −½ (y − μ_m)ᵀP_m (y − μ_m) + constant_m
///     z | y, m ~ N(W_m y + s_m, v W_m),   W_m = I − v P_m,   s_m = v P_m μ_m,   P_m = (Σ_m + v I)⁻¹
///
/// All components of all tiles are scored by one matrix product, score_m · features(y) + offset_m. With all
/// codes in the lead, features(y) = (y_a y_b for a ≤ b, y), that is the exact logarithm. With L < K codes in
/// the lead it screens: each component is taken for the nearest law (in Kullback–Leibler divergence) in which
/// codes beyond the first L are independent of all others,
///
///     features(y) = (y_a y_b for a ≤ b < L, y_a² for a ≥ L, y),
///
/// and what passes is scored exactly by (y − μ)ᵀP(y − μ) = (y − μ)·(y − E[z | y, m])/v, which costs nothing
/// beside the mean itself. Immutable once made.
final class NoisyMixture: @unchecked Sendable {
  let prior: TilePrior
  /// v, intensity².
  let variance: Double
  /// M rounded up to a multiple of 16; the scores that are none are far below any other.
  let paddedComponents: Int
  /// L.
  let lead: Int
  /// Whether all means are zero: then y is no feature.
  let isCentred: Bool
  /// Numbers of features of a tile: L(L+1)/2 + K − L, and K unless centred.
  let featureCount: Int
  /// featureCount × paddedComponents.
  let scores: FloatBuffer
  /// paddedComponents.
  let offsets: FloatBuffer
  /// ln w_m N(μ_m; μ_m, Σ_m + v I), M; −1e30 for a component without weight.
  let constants: FloatBuffer
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

  /// Whether scores are those of a screen.
  var isScreened: Bool { lead < prior.latent }

  /// What besides the means of the codes is wanted.
  struct Parts: OptionSet {
    let rawValue: Int
    static let pixelVariances = Parts(rawValue: 1)
    static let draws = Parts(rawValue: 2)
    /// Exact scores of all components.
    static let allScores = Parts(rawValue: 4)
  }

  /// Fewer codes or components than these are not worth a screen.
  private static let leastScreenedCodes = 32, leastScreenedComponents = 64

  /// Cost: M K³, over the pool's workers.
  /// - Precondition: `variance` > 0.
  init(_ prior: TilePrior, variance: Double, parts: Parts, pool: WorkerPool?) {
    precondition(variance > 0 && variance.isFinite, "noise has a positive variance")
    let density = prior.density
    let (size, count) = (density.dimension, density.componentCount)
    self.prior = prior
    self.variance = variance
    paddedComponents = (count + 15) / 16 * 16
    let isScreened =
      !parts.contains(.allScores) && size >= Self.leastScreenedCodes
      && count >= Self.leastScreenedComponents
    lead = isScreened ? size / 4 : size
    isCentred = density.means.allSatisfy { $0 == 0 }
    featureCount = lead * (lead + 1) / 2 + size - lead + (isCentred ? 0 : size)
    constants = FloatBuffer(count)
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
    var matrix = Self.inverse(upper, size, first: size)
    let means = density.means[component * size..<(component + 1) * size].map(Double.init)
    var square = 0.0
    var pulls = [Double](repeating: 0, count: size)
    for row in 0..<size {
      for column in 0..<size { pulls[row] += matrix[row * size + column] * means[column] }
      square += pulls[row] * means[row]
      shifts.pointer[component * size + row] = Float(variance * pulls[row])
    }
    let weight = density.weights[component]
    let constant =
      weight > 0 ? log(weight) - 0.5 * logDeterminant - halfLogTwoPi * Double(size) : -1e30
    constants.pointer[component] = Float(constant)
    if isScreened {
      screen(component, upper, means, log(max(weight, 1e-300)))
    } else {
      putScores(component, matrix, pulls)
      offsets.pointer[component] = Float(constant - 0.5 * square)
    }
    for index in matrix.indices { matrix[index] *= -variance }
    for index in 0..<size { matrix[index * size + index] += 1 }
    let start = component * size * size
    for index in matrix.indices { gains.pointer[start + index] = Float(matrix[index]) }
    if parts.contains(.draws) { root(&matrix, component) }
  }

  /// (UᵀU)⁻¹ of the first codes, as a full matrix, from the factor of all `size`: the factor of a leading block
  /// is the leading block of the factor.
  private static func inverse(_ upper: [Double], _ size: Int, first: Int) -> [Double] {
    var matrix = upper
    if first < size {
      matrix = (0..<first * first).map { upper[$0 / first * size + $0 % first] }
    }
    let status = LAPACKE_dpotri_work(
      LAPACK_COL_MAJOR, 0x55 /* U */, Int32(first), &matrix, Int32(first))
    precondition(status == 0, "a factor with a positive diagonal has an inverse")
    for column in 0..<first {
      for row in 0..<column { matrix[row * first + column] = matrix[column * first + row] }
    }
    return matrix
  }

  /// The features' factors for −½ yᵀA y + b·y, A of the lead.
  private func putScores(_ component: Int, _ matrix: [Double], _ pulls: [Double]) {
    var place = component
    for row in 0..<lead {
      for column in row..<lead {
        let value = matrix[row * lead + column]
        scores.pointer[place] = Float(row == column ? -0.5 * value : -value)
        place += paddedComponents
      }
    }
    guard !isCentred else { return }
    place += (prior.latent - lead) * paddedComponents
    for pull in pulls {
      scores.pointer[place] = Float(pull)
      place += paddedComponents
    }
  }

  /// Scores and offset of the law in which codes beyond the lead are independent.
  private func screen(
    _ component: Int, _ upper: [Double], _ means: [Double], _ logWeight: Double
  ) {
    let size = prior.latent
    let matrix = Self.inverse(upper, size, first: lead)
    var offset = logWeight - halfLogTwoPi * Double(size)
    var pulls = [Double](repeating: 0, count: size)
    for row in 0..<lead {
      offset -= log(upper[row * size + row])
      for column in 0..<lead { pulls[row] += matrix[row * lead + column] * means[column] }
    }
    var place = lead * (lead + 1) / 2 * paddedComponents + component
    for code in lead..<size {
      var own = 0.0
      for row in 0...code { own += upper[code * size + row] * upper[code * size + row] }
      scores.pointer[place] = Float(-0.5 / own)
      place += paddedComponents
      offset -= 0.5 * log(own)
      pulls[code] = means[code] / own
    }
    for code in 0..<size { offset -= 0.5 * pulls[code] * means[code] }
    putScores(component, matrix, pulls)
    if prior.density.weights[component] > 0 { offsets.pointer[component] = Float(offset) }
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
