import Foundation
import Likelihoods
import Numerics
import Randomness
import Tensors
import Testing

@testable import Inversion

// Notation
//   x = W u + μ + ε,  ε ~ N(0, diag s),  y_O = x_O + n,  n ~ N(0, diag N)     O the observed pixels
//   Σx = W Wᵀ + diag s,  Σy = Σx[O, O] + diag N
//
//   E u = W_Oᵀ Σy⁻¹ (y − μ)_O           Cov u = I − W_Oᵀ Σy⁻¹ W_O
//   E x = μ + Σx[:, O] Σy⁻¹ (y − μ)_O   Cov x = Σx − Σx[:, O] Σy⁻¹ Σx[O, :]

/// A linear Gaussian inverse problem of 1×8×8 pixels and six base variables with its posterior by
/// dense algebra in double precision. The formulas go through the covariance of the data, not through
/// the precision of u and the conditional of ε as the library does.
struct LinearProblem: CustomTestStringConvertible, Sendable {
  enum Case: String, CaseIterable, Sendable {
    case white, masked
    /// σ = 0; every pixel has a variance of its own.
    case sigmaMap
  }

  static let latent = 6
  static let shape = Shape(1, 8, 8)
  static let pixels = 64

  let kind: Case
  let sigma: Double
  /// W, pixels × latent; the data say much of the first columns and little of the last.
  let weights: [Float]
  let meanPicture: [Float]
  /// s, from 0.004 to 0.03.
  let residuals: [Float]
  /// Variances of the sigma map.
  let mapVariances: [Float]
  let observed: [Bool]
  let data: [Float]

  var testDescription: String { kind.rawValue }

  init(_ kind: Case, seed: UInt64 = 3) {
    let key = RandomKey(seed: seed)
    self.kind = kind
    sigma = kind == .sigmaMap ? 0 : 0.15
    var stream = key.child("problem").stream()
    var weights: [Float] = []
    for _ in 0..<Self.pixels {
      for k in 0..<Self.latent {
        weights.append(Float(0.15 * stream.normal() / pow(1.7, Double(k))))
      }
    }
    self.weights = weights
    meanPicture = (0..<Self.pixels).map { _ in Float(0.3 + 0.4 * stream.uniform()) }
    residuals = (0..<Self.pixels).map { _ in Float(0.004 + 0.026 * stream.uniform()) }
    mapVariances = (0..<Self.pixels).map { _ in
      kind == .sigmaMap ? Float(pow(0.05 + 0.2 * stream.uniform(), 2)) : 0
    }
    let order = stream.permutation(Self.pixels)
    var observed = [Bool](repeating: true, count: Self.pixels)
    if kind == .masked { for pixel in order.prefix(21) { observed[pixel] = false } }
    self.observed = observed
    let u = stream.normals(Self.latent)
    var data: [Float] = []
    for pixel in 0..<Self.pixels {
      var value = Double(meanPicture[pixel])
      for k in 0..<Self.latent { value += Double(weights[pixel * Self.latent + k]) * u[k] }
      let spread = Double(residuals[pixel]) + Double(mapVariances[pixel]) + sigma * sigma
      data.append(Float(value + spread.squareRoot() * stream.normal()))
    }
    self.data = data
  }

  func prior() throws -> LinearGaussianPrior {
    try LinearGaussianPrior(
      image: Self.shape, weights: weights, mean: meanPicture, residualVariances: residuals)
  }

  func posterior() throws -> ImagePosterior {
    let pixelData = PixelData(
      values: data, kinds: PixelData.kinds(of: data, observed: observed, censored: false),
      extraVariances: mapVariances, residualVariances: residuals)
    return ImagePosterior(
      generator: try prior().generator, problems: [pixelData], noiseLevel: .known([sigma]))
  }

  /// C: σ² and every known variance of a pixel.
  func totalVariance(_ pixel: Int) -> Double {
    sigma * sigma + Double(residuals[pixel]) + Double(mapVariances[pixel])
  }

  func weight(_ pixel: Int, _ k: Int) -> Double { Double(weights[pixel * Self.latent + k]) }

  /// I + W_Oᵀ C⁻¹ W_O, latent × latent.
  var precision: [Double] {
    var result = [Double](repeating: 0, count: Self.latent * Self.latent)
    for row in 0..<Self.latent {
      result[row * Self.latent + row] = 1
      for column in 0..<Self.latent {
        for pixel in 0..<Self.pixels where observed[pixel] {
          result[row * Self.latent + column] +=
            weight(pixel, row) * weight(pixel, column) / totalVariance(pixel)
        }
      }
    }
    return result
  }

  /// Mean and covariance of u and of x given the data, and ln p(y).
  func solve() -> Solution {
    let seen = (0..<Self.pixels).filter { observed[$0] }
    func prior(_ i: Int, _ j: Int) -> Double {
      (0..<Self.latent).reduce(i == j ? Double(residuals[i]) : 0) {
        $0 + weight(i, $1) * weight(j, $1)
      }
    }
    let noise = seen.map { sigma * sigma + Double(mapVariances[$0]) }
    var dataCovariance = seen.map { i in seen.map { prior(i, $0) } }
    for index in seen.indices { dataCovariance[index][index] += noise[index] }
    let misfit = seen.map { Double(data[$0]) - Double(meanPicture[$0]) }
    /// Prior mean, prior covariance and covariance with the data of jointly Gaussian variables.
    func condition(
      _ mean: [Double], _ covariance: [[Double]], _ cross: [[Double]]
    ) -> (mean: [Double], covariance: [[Double]]) {
      // Σy⁻¹ crossᵀ, one solution for each row of cross.
      let gains = solveLinear(dataCovariance, cross)
      let posterior = cross.indices.map { i in
        cross.indices.map { j in
          covariance[i][j] - zip(gains[i], cross[j]).reduce(0) { $0 + $1.0 * $1.1 }
        }
      }
      let moved = mean.indices.map { i in
        mean[i] + zip(gains[i], misfit).reduce(0) { $0 + $1.0 * $1.1 }
      }
      return (moved, posterior)
    }
    let base = condition(
      [Double](repeating: 0, count: Self.latent),
      (0..<Self.latent).map { i in (0..<Self.latent).map { i == $0 ? 1 : 0 } },
      (0..<Self.latent).map { k in seen.map { weight($0, k) } })
    let picture = condition(
      meanPicture.map { Double($0) },
      (0..<Self.pixels).map { i in (0..<Self.pixels).map { prior(i, $0) } },
      (0..<Self.pixels).map { i in seen.map { prior(i, $0) } })
    return Solution(
      baseMean: base.mean, baseCovariance: base.covariance, pictureMean: picture.mean,
      pictureDeviation: (0..<Self.pixels).map { picture.covariance[$0][$0].squareRoot() })
  }

  struct Solution {
    let baseMean: [Double]
    let baseCovariance: [[Double]]
    let pictureMean: [Double]
    let pictureDeviation: [Double]
  }
}

/// x with A x = b for each b of `rights`: Gaussian elimination with row pivots.
func solveLinear(_ matrix: [[Double]], _ rights: [[Double]]) -> [[Double]] {
  let n = matrix.count
  var a = matrix.indices.map { row in matrix[row] + rights.map { $0[row] } }
  for column in 0..<n {
    let pivot = (column..<n).max { abs(a[$0][column]) < abs(a[$1][column]) }!
    a.swapAt(column, pivot)
    for row in 0..<n where row != column {
      let factor = a[row][column] / a[column][column]
      if factor == 0 { continue }
      for index in column..<a[row].count { a[row][index] -= factor * a[column][index] }
    }
  }
  return rights.indices.map { right in (0..<n).map { a[$0][n + right] / a[$0][$0] } }
}
