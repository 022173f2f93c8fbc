import CLAPACK
import Foundation
import Maps
import Numerics

/// The power spectrum of stationary noise from pictures that hold nothing else, or from the part of
/// them that does: ln P(k) is linear in the frequency between B nodes and constant beyond them, as
/// `RadialSpectrum` reads it, and the B values θ = ln P at the nodes are found by Fisher scoring,
///
///     θ ← θ + F⁻¹ s,   s = ∂ ln L / ∂θ,   F = E[s sᵀ],
///
/// the iterated quadratic estimator of band powers (Bond, Jaffe & Knox 1998, PRD 57, 2117, eq. 20;
/// Tegmark 1997, PRD 55, 5895), here in ln P, so that P stays positive. The mean of each picture is
/// unknown and is not part of the noise; so P at the zero frequency is not measured.
///
/// The bias of the second order is taken away. With V = cov(θ) and v_k = φ_kᵀ V φ_k the variance of ln P_k,
/// the likelihood is one of a covariance that is linear in P, and restricted maximum likelihood is
/// unbiased to this order in such parameters; the bias of θ is that of the curvature of P(θ) alone,
/// E[θ̂] − θ = −½ F⁻¹ g, where g_b is the element of the information between θ_b and a parameter with
/// ∂P/∂. = v P. Then E[P̂_b] = P_b exp(½ V_bb − ½ (F⁻¹ g)_b), which is divided out. (Cox & Snell 1968.)
public struct SpectrumEstimate: Sendable, Equatable {
  /// What the likelihood was.
  public enum Method: String, Sendable {
    /// All pixels of the grid: the modes are independent, and the likelihood is exact.
    case periodogram
    /// Some pixels: the exact likelihood of their differences, with a dense covariance.
    case likelihood
    /// Some of many pixels: the periodogram of the masked picture against its expectation.
    case pseudoSpectrum
  }

  public let method: Method
  /// P at the nodes, intensity².
  public let spectrum: RadialSpectrum
  /// Standard deviations of P at the nodes, intensity².
  public let errors: [Double]
  /// m with error = P √(2/m): as many independent modes tell as much.
  public var modes: [Double] { zip(spectrum.powers, errors).map { 2 * $0 * $0 / ($1 * $1) } }

  /// Above this many used pixels (of more on the grid) a dense covariance takes too long.
  package static let largestLikelihood = 1500

  /// - Parameters:
  ///   - pictures: noise, each H×W row-major, intensity; their means do not matter.
  ///   - used: the cells that hold nothing but noise, the same in each picture; nil for all.
  ///   - nodes: ascending frequencies in cycles per pixel; nil for `RadialNodes.standard`.
  ///   - method: nil for the best that is feasible.
  /// - Throws: `unusable` when the pictures are constant or do not determine so many nodes.
  /// - Precondition: at least one picture, each with H·W values that are finite where they are used.
  public init(
    pictures: [[Double]], height: Int, width: Int, used: [Bool]? = nil, nodes: [Double]? = nil,
    method: Method? = nil
  ) throws(PlanError) {
    let count = height * width
    precondition(!pictures.isEmpty && pictures.allSatisfy { $0.count == count })
    let cells = (0..<count).filter { used?[$0] ?? true }
    guard cells.count > 1 else {
      throw .unusable("\(cells.count) pixels hold no noise spectrum; at least 2 are needed")
    }
    let variance = Self.variance(pictures, cells)
    let largest = pictures.reduce(0.0) { most, picture in
      cells.reduce(most) { max($0, abs(picture[$1])) }
    }
    // Less than rounding leaves of a constant is nothing.
    guard variance.isFinite, variance.squareRoot() > 0x1p-44 * largest else {
      throw .unusable("the used pixels are constant: there is no noise in them")
    }
    let nodes =
      nodes ?? RadialNodes.standard(height: height, width: width, usedCount: cells.count)
    let hats = RadialNodes.hats(nodes, height: height, width: width)
    let isWhole = cells.count == count
    self.method =
      method
      ?? (isWhole
        ? .periodogram : cells.count <= Self.largestLikelihood ? .likelihood : .pseudoSpectrum)
    let score: any SpectrumScore =
      self.method == .likelihood
      ? try DenseSpectrumScore(pictures: pictures, height: height, width: width, cells: cells)
      : try PseudoSpectrumScore(pictures: pictures, height: height, width: width, cells: cells)
    let fit = try Self.maximize(score, hats, start: log(variance))
    spectrum = try RadialSpectrum(frequencies: nodes, powers: fit.logPowers.map { exp($0) })
    errors = zip(spectrum.powers, fit.deviations).map { $0 * $1 }
  }

  /// Of a pixel about the mean of its picture.
  private static func variance(_ pictures: [[Double]], _ cells: [Int]) -> Double {
    var sum = 0.0
    for picture in pictures {
      let mean = cells.reduce(0.0) { $0 + picture[$1] } / Double(cells.count)
      for cell in cells { sum += (picture[cell] - mean) * (picture[cell] - mean) }
    }
    return sum / Double(pictures.count * (cells.count - 1))
  }

  /// A step changes no power by more than a factor e; the search ends when none moves by 10⁻⁷.
  private static func maximize(
    _ score: any SpectrumScore, _ hats: [[Double]], start: Double
  ) throws(PlanError) -> (logPowers: [Double], deviations: [Double]) {
    let bins = hats.count
    var logPowers = [Double](repeating: start, count: bins)
    for _ in 0..<200 {
      let values = powers(logPowers, hats)
      let (gradient, information) = try score.evaluate(power: values, hats: hats)
      guard let inverse = inverse(information, bins) else { throw undetermined(bins) }
      var step = [Double](repeating: 0, count: bins)
      for row in 0..<bins {
        for column in 0..<bins { step[row] += inverse[row * bins + column] * gradient[column] }
      }
      let longest = step.reduce(0) { max($0, abs($1)) }
      guard longest.isFinite else { throw undetermined(bins) }
      for bin in 0..<bins { logPowers[bin] += step[bin] / max(1, longest) }
      guard logPowers.allSatisfy({ abs($0 - start) < 40 }) else { throw undetermined(bins) }
      if longest < 1e-7 {
        let final = powers(logPowers, hats)
        let covariance = try score.covariance(power: final, hats: hats, inverse: inverse)
        let shifts = try shifts(score, final, hats, covariance, inverse)
        return (
          zip(logPowers, shifts).map { $0 - $1 },
          (0..<bins).map { covariance[$0 * bins + $0].squareRoot() }
        )
      }
    }
    throw undetermined(bins)
  }

  /// ½ V_bb − ½ (F⁻¹ g)_b. An expansion: where it is not small it means little, and no more than half a
  /// unit of it is used.
  private static func shifts(
    _ score: any SpectrumScore, _ power: [Double], _ hats: [[Double]], _ covariance: [Double],
    _ inverse: [Double]
  ) throws(PlanError) -> [Double] {
    let bins = hats.count
    let variances = power.indices.map { cell in
      var sum = 0.0
      for a in 0..<bins where hats[a][cell] != 0 {
        for b in 0..<bins { sum += hats[a][cell] * covariance[a * bins + b] * hats[b][cell] }
      }
      return sum
    }
    let information = try score.evaluate(power: power, hats: hats + [variances]).information
    return (0..<bins).map { bin in
      var product = 0.0
      for other in 0..<bins {
        product += inverse[bin * bins + other] * information[other * (bins + 1) + bins]
      }
      return max(-0.5, min(0.5, 0.5 * (covariance[bin * bins + bin] - product)))
    }
  }

  private static func powers(_ logPowers: [Double], _ hats: [[Double]]) -> [Double] {
    hats[0].indices.map { cell in
      exp(logPowers.indices.reduce(0.0) { $0 + hats[$1][cell] * logPowers[$1] })
    }
  }

  private static func undetermined(_ bins: Int) -> PlanError {
    .unusable(
      "the used pixels do not determine \(bins) bins of a noise spectrum: give fewer bins, or more "
        + "pixels or pictures")
  }

  /// Of a symmetric positive definite n×n matrix; nil for any other.
  private static func inverse(_ matrix: [Double], _ n: Int) -> [Double]? {
    // Scaled to a unit diagonal: bins of few modes then count as much for the judgement.
    let scales = (0..<n).map { matrix[$0 * n + $0].squareRoot() }
    guard scales.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let scaled = matrix.indices.map { matrix[$0] / (scales[$0 / n] * scales[$0 % n]) }
    guard var result = CholeskyFactor(scaled, dimension: n, pivotFloor: 1e-10)?.inverse else {
      return nil
    }
    for index in result.indices { result[index] /= scales[index / n] * scales[index % n] }
    return result
  }
}

/// The derivatives of one log likelihood, exact or approximate, in θ: P = exp(Σ_b θ_b φ_b).
protocol SpectrumScore {
  /// s (B) and F (B×B).
  /// - Parameters:
  ///   - power: P, H×W in FFT order.
  ///   - hats: φ_b, B of H×W.
  func evaluate(
    power: [Double], hats: [[Double]]
  ) throws(PlanError) -> (score: [Double], information: [Double])

  /// The covariance (B×B) of the θ where s = 0.
  /// - Parameter inverse: F⁻¹.
  func covariance(
    power: [Double], hats: [[Double]], inverse: [Double]
  ) throws(PlanError) -> [Double]
}
