import Foundation
import Maps
import Operators
import Randomness

/// The periodogram of the masked picture against its expectation.
///
///     z = w (y − mean of y over w), w = 1 where a pixel is used, n = Σ w
///     D_k = |Σ_x z_x exp(−2πi k·x)|² / HW,   M_k = E[D_k]
///     s_b = ½ N Σ_{k≠0} (D_k − M_k) M_b,k / M_k²,   F_bc = ½ N Σ_{k≠0} M_b,k M_c,k / M_k²
///
/// with M_b = ∂M/∂θ_b. With all pixels used D_k are independent, M = P, and this is the exact
/// likelihood (Whittle 1953, here without its approximation: the noise is periodic). Under a mask it is
/// an estimating equation of mean zero; neighbouring D_k are correlated then, so its errors are
/// F⁻¹ J F⁻¹ with J = cov(s) from simulated noise.
///
/// The expectation, with c the autocovariance, W the transform of w, q = c ⋆ w and ρ = w ⋆ w:
///
///     HW · M_k = Σ_d ρ(d) c(d) e^(−2πi k·d) − (2/n) Re(W̄_k Σ_x w q e^(−2πi k·x)) + |W_k|² (wᵀq)/n²
struct PseudoSpectrumScore: SpectrumScore {
  private let height: Int
  private let width: Int
  private let cells: [Int]
  private let isWhole: Bool
  private let pictureCount: Double
  /// Mean D over the pictures, H×W.
  private let periodogram: [Double]
  /// W, H×W, and ρ, H×W; empty when all pixels are used.
  private let window: [(Double, Double)]
  private let pairs: [Double]
  private let plan: RealFourierPlan

  init(pictures: [[Double]], height: Int, width: Int, cells: [Int]) throws(PlanError) {
    let plan = try RealFourierPlan(height: height, width: width)
    self.plan = plan
    self.height = height
    self.width = width
    self.cells = cells
    isWhole = cells.count == height * width
    pictureCount = Double(pictures.count)
    var mean = [Double](repeating: 0, count: height * width)
    for picture in pictures {
      let values = plan.periodogram(picture, of: cells)
      for index in mean.indices { mean[index] += values[index] / pictureCount }
    }
    periodogram = mean
    guard !isWhole else {
      (window, pairs) = ([], [])
      return
    }
    var flags = [Double](repeating: 0, count: height * width)
    for cell in cells { flags[cell] = 1 }
    window = plan.transform(flags)
    pairs = plan.autocovariance(window.map { $0.0 * $0.0 + $0.1 * $0.1 })
  }

  func evaluate(
    power: [Double], hats: [[Double]]
  ) throws(PlanError) -> (score: [Double], information: [Double]) {
    let (mean, derivatives) = expectations(power, hats)
    let bins = hats.count
    let score = score(periodogram, mean, derivatives).map { $0 * pictureCount }
    var information = [Double](repeating: 0, count: bins * bins)
    for a in 0..<bins {
      for b in 0...a {
        var sum = 0.0
        for k in 1..<mean.count {
          sum += derivatives[a][k] * derivatives[b][k] / (mean[k] * mean[k])
        }
        information[a * bins + b] = 0.5 * pictureCount * sum
        information[b * bins + a] = information[a * bins + b]
      }
    }
    return (score, information)
  }

  func covariance(
    power: [Double], hats: [[Double]], inverse: [Double]
  ) throws(PlanError) -> [Double] {
    guard !isWhole else { return inverse }
    let (mean, derivatives) = expectations(power, hats)
    let bins = hats.count
    let spectrum = try PowerSpectrum(height: height, width: width, values: power)
    let coloring = try StationaryNoise(spectrum: spectrum, channels: 1).makePlan(lanes: 1)
    var stream = Self.key.stream()
    var covariance = [Double](repeating: 0, count: bins * bins)
    for _ in 0..<Self.simulations {
      let white = stream.normals(height * width)
      var noise = white
      var span = noise.mutableSpan
      coloring.color(white.span, into: &span)
      let values = plan.periodogram(noise, of: cells)
      // s for N pictures has N times the covariance of s for one.
      let one = score(values, mean, derivatives)
      var step = [Double](repeating: 0, count: bins)
      for a in 0..<bins { for b in 0..<bins { step[a] += inverse[a * bins + b] * one[b] } }
      for a in 0..<bins {
        for b in 0..<bins {
          covariance[a * bins + b] += step[a] * step[b] * pictureCount / Double(Self.simulations)
        }
      }
    }
    return covariance
  }

  /// Simulations for J: errors are then known to 4 %.
  private static let simulations = 256
  /// Of their noise: the same data give the same errors.
  private static let key = RandomKey(seed: 1).child("errors of a noise spectrum")

  /// s for one picture.
  private func score(
    _ periodogram: [Double], _ mean: [Double], _ derivatives: [[Double]]
  ) -> [Double] {
    derivatives.map { derivative in
      var sum = 0.0
      for k in 1..<mean.count {
        sum += (periodogram[k] - mean[k]) * derivative[k] / (mean[k] * mean[k])
      }
      return 0.5 * sum
    }
  }

  private func expectations(
    _ power: [Double], _ hats: [[Double]]
  ) -> ([Double], [[Double]]) {
    let mean = expectation(power)
    var derivatives: [[Double]] = []
    for hat in hats { derivatives.append(expectation(zip(hat, power).map { $0 * $1 })) }
    return (mean, derivatives)
  }

  /// M, linear in P.
  private func expectation(_ power: [Double]) -> [Double] {
    guard !isWhole else { return power }
    let count = Double(height * width)
    let lags = plan.autocovariance(power)
    // ρ c is even, so its transform is real.
    let first = plan.transform(zip(lags, pairs).map { $0 * $1 })
    // q = c ⋆ w: P W back from frequencies; only its used pixels count.
    let spread = plan.inverseTransform(zip(power, window).map { ($0 * $1.0, $0 * $1.1) })
    var masked = [Double](repeating: 0, count: spread.count)
    var total = 0.0
    for cell in cells {
      masked[cell] = spread[cell]
      total += spread[cell]
    }
    let second = plan.transform(masked)
    let n = Double(cells.count)
    return first.indices.map { k in
      let (re, im) = window[k]
      let cross = re * second[k].0 + im * second[k].1
      return (first[k].0 - 2 / n * cross + (re * re + im * im) * total / (n * n)) / count
    }
  }
}
