import Foundation
import Numerics
import Tensors

/// The tile prior as a mixture over pixels, for tiles of which not all is seen in one noise:
/// x ~ N(μ′_m, Σ′_m), Σ′ = BᵀΣB + ε² (what neither spans) + τ² (1 1ᵀ of each channel), μ′ = Bᵀμ + ½.
/// The channel means, flat elsewhere, have the prior N(½, τ²), which is as good as flat.
///
/// Given data y_o = x_o + n, n ~ N(0, diag v), the component's shares and its Gaussian are exact: one Cholesky
/// factor of Σ′_oo + diag v for each component. Immutable once made.
final class PixelMixture: @unchecked Sendable {
  /// τ: half the range of intensities.
  static let meanDeviation = 0.5

  let prior: TilePrior
  /// M × D×D.
  let covariances: FloatBuffer
  /// M×D.
  let means: FloatBuffer
  let logWeights: [Float]

  init(_ prior: TilePrior) {
    self.prior = prior
    let density = prior.density
    let (size, count, area) = (prior.latent, prior.tileCount, prior.side * prior.side)
    let components = density.componentCount
    covariances = FloatBuffer(components * count * count)
    means = FloatBuffer(components * count)
    logWeights = density.weights.map { $0 > 0 ? Float(log($0)) : -1e30 }
    // ε² (I − BᵀB − means) + τ² of each channel, the same for all.
    var shared = [Float](repeating: 0, count: count * count)
    multiply(
      .transposed, .plain, m: count, n: count, k: size, alpha: -Float(prior.residualVariance),
      prior.basis, lda: count, prior.basis, ldb: count, into: &shared, ldc: count)
    for row in 0..<count {
      shared[row * count + row] += Float(prior.residualVariance)
      for column in row / area * area..<(row / area + 1) * area {
        shared[row * count + column] += Float(
          Self.meanDeviation * Self.meanDeviation - prior.residualVariance / Double(area))
      }
    }
    var half = [Float](repeating: 0, count: size * count)
    for component in 0..<components {
      let codes = density.covariance(component).map { Float($0) }
      multiply(
        m: size, n: count, k: size, codes, lda: size, prior.basis, ldb: count, into: &half,
        ldc: count)
      let output = covariances.pointer + component * count * count
      output.update(from: shared, count: count * count)
      multiply(
        .transposed, .plain, m: count, n: count, k: size, prior.basis, lda: count, half,
        ldb: count, beta: 1, into: output, ldc: count)
      for pixel in 0..<count {
        var mean: Float = 0.5
        for code in 0..<size {
          mean += prior.basis[code * count + pixel] * density.means[component * size + code]
        }
        means.pointer[component * count + pixel] = mean
      }
    }
  }
}

/// Posteriors of tiles under a `PixelMixture`, one after another; one owner, one thread at a time.
final class PixelMixtureWorker {
  /// With more data than this, components are first judged by so many of a tile's pixels.
  private static let screeningPixels = 20
  /// How many stay after that.
  private static let screenedComponents = 32

  private let mixture: PixelMixture
  private let matrix: FloatBuffer
  private let white: FloatBuffer
  private var scores: [Float]
  /// The posterior mean and variance of each pixel, D.
  let mean: FloatBuffer
  let variance: FloatBuffer
  private let square: FloatBuffer
  private let column: FloatBuffer

  init(_ mixture: PixelMixture) {
    self.mixture = mixture
    let count = mixture.prior.tileCount
    matrix = FloatBuffer(count * count)
    white = FloatBuffer(count)
    scores = [Float](repeating: 0, count: mixture.prior.density.componentCount)
    mean = FloatBuffer(count)
    variance = FloatBuffer(count)
    square = FloatBuffer(count)
    column = FloatBuffer(count)
  }

  /// `mean` and `variance` of a tile.
  /// - Parameters:
  ///   - seen: the pixels with data; `values`, `noise`: those and their noise variances.
  func solve(seen: [Int], values: [Float], noise: [Float]) {
    let components = scores.count
    var candidates = Array(0..<components)
    if seen.count > Self.screeningPixels {
      let step = Double(seen.count) / Double(Self.screeningPixels)
      let some = (0..<Self.screeningPixels).map { Int(Double($0) * step) }
      let (few, fewValues, fewNoise) = (
        some.map { seen[$0] }, some.map { values[$0] }, some.map { noise[$0] }
      )
      for component in 0..<components {
        scores[component] = score(component, few, fewValues, fewNoise)
      }
      candidates = Array(
        candidates.sorted { (scores[$0], -$0) > (scores[$1], -$1) }.prefix(
          Self.screenedComponents))
    }
    for component in candidates { scores[component] = score(component, seen, values, noise) }
    let top = candidates.map { scores[$0] }.max()!
    var total: Float = 0
    for component in candidates {
      scores[component] = expf(scores[component] - top)
      total += scores[component]
    }
    let count = mixture.prior.tileCount
    mean.pointer.update(repeating: 0, count: count)
    square.pointer.update(repeating: 0, count: count)
    let kept = candidates.filter { scores[$0] >= TileWorker.leastShare * total }
    let sum = kept.reduce(0) { $0 + scores[$1] }
    for component in kept { add(component, scores[component] / sum, seen, values, noise) }
    for pixel in 0..<count {
      variance.pointer[pixel] = max(
        square.pointer[pixel] - mean.pointer[pixel] * mean.pointer[pixel], 1e-9)
    }
  }

  /// ln w_m N(y; …) but for a constant; leaves the lower factor L in `matrix` and L⁻¹(y − μ) in `white`.
  private func score(_ component: Int, _ seen: [Int], _ values: [Float], _ noise: [Float]) -> Float
  {
    let (count, number) = (mixture.prior.tileCount, seen.count)
    let covariance = mixture.covariances.pointer + component * count * count
    let means = mixture.means.pointer + component * count
    let (rows, right) = (matrix.pointer, white.pointer)
    return seen.withUnsafeBufferPointer { seen in
      var result = mixture.logWeights[component]
      for row in 0..<number {
        let line = rows + row * number
        let source = covariance + seen[row] * count
        for column in 0...row { line[column] = source[seen[column]] }
        line[row] += noise[row]
        for column in 0..<row {
          let other = rows + column * number
          line[column] = (line[column] - dot(line, other, column)) / other[column]
        }
        // Rounding of single precision, at worst, against the floor of the covariances.
        let pivot = max(line[row] - dot(line, line, row), 1e-9).squareRoot()
        line[row] = pivot
        right[row] = (values[row] - means[seen[row]] - dot(line, right, row)) / pivot
        result -= 0.5 * right[row] * right[row] + logf(pivot)
      }
      return result
    }
  }

  /// Adds share · mean and share · (mean² + variance) of a component.
  private func add(
    _ component: Int, _ share: Float, _ seen: [Int], _ values: [Float], _ noise: [Float]
  ) {
    _ = score(component, seen, values, noise)
    let (count, number) = (mixture.prior.tileCount, seen.count)
    let covariance = mixture.covariances.pointer + component * count * count
    for pixel in 0..<count {
      let source = covariance + pixel * count
      var (shift, spread) = (Float(0), source[pixel])
      for row in 0..<number {
        let line = matrix.pointer + row * number
        let value = (source[seen[row]] - dot(line, column.pointer, row)) / line[row]
        column.pointer[row] = value
        shift += value * white.pointer[row]
        spread -= value * value
      }
      let value = mixture.means.pointer[component * count + pixel] + shift
      mean.pointer[pixel] += share * value
      square.pointer[pixel] += share * (value * value + max(spread, 0))
    }
  }

  @inline(__always)
  private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sums = SIMD8<Float>.zero
    var index = 0
    while index &+ 8 <= count {
      sums +=
        UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Float>.self)
        * UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Float>.self)
      index &+= 8
    }
    var sum = sums.sum()
    while index < count {
      sum += a[index] * b[index]
      index &+= 1
    }
    return sum
  }
}
