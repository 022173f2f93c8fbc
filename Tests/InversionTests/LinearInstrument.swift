import Foundation
import Maps
import Randomness
import Tensors

@testable import Inversion
@testable import Likelihoods
@testable import Noise
@testable import Numerics
@testable import Operators

// Notation: LinearProblem.swift, with y = (A (x + ε) + n)_O, Σ = diag s + F Fᵀ, n ~ N(0, σ²N₀ + diag r).

/// A linear Gaussian problem of 1×16×16 pixels behind a blur, a mask, coloured noise and a residual with
/// three factors, solved by dense algebra that shares nothing with the library: the blur by direct sums,
/// the noise covariance by sums of cosines.
struct LinearInstrument {
  static let side = 16
  static let pixels = 256
  static let latent = 6
  static let shape = Shape(1, 16, 16)
  static let sigma = 0.12

  let weights: [Float]
  let meanPicture: [Float]
  let residual: ResidualCovariance
  let kernel: Tensor
  let observed: [Bool]
  let fixedVariances: [Float]
  var spectrum: PowerSpectrum
  let data: [Float]

  init() throws {
    let key = RandomKey(seed: 17)
    var stream = key.child("problem").stream()
    let weights = (0..<Self.pixels * Self.latent).map {
      Float(0.2 * stream.normal() / pow(1.5, Double($0 % Self.latent)))
    }
    let meanPicture = (0..<Self.pixels).map { _ in Float(0.3 + 0.4 * stream.uniform()) }
    residual = ResidualCovariance(
      variances: (0..<Self.pixels).map { _ in Float(0.002 + 0.01 * stream.uniform()) },
      factors: (0..<3 * Self.pixels).map { _ in Float(0.06 * stream.normal()) })
    // Not symmetric: a transposed blur differs.
    kernel = Tensor(shape: Shape(3, 3), values: [0.05, 0.1, 0.05, 0.2, 0.3, 0.1, 0, 0.15, 0.05])
    var flags = [Bool](repeating: true, count: Self.pixels)
    for pixel in stream.permutation(Self.pixels).prefix(70) { flags[pixel] = false }
    observed = flags
    let fixedVariances = (0..<Self.pixels).map { _ in Float(0.0005 + 0.002 * stream.uniform()) }
    spectrum = try .power(exponent: 2, knee: 0.03, sigma: 1, height: 16, width: 16)
    // Any data do: the posterior is exact for what the model finds unlikely, too. These are likely.
    let u = stream.normals(Self.latent)
    let painted = (0..<Self.pixels).map { pixel in
      (0..<Self.latent).reduce(Double(meanPicture[pixel])) {
        $0 + Double(weights[pixel * Self.latent + $1]) * u[$1]
      }
    }
    let own = residual.draw(&stream)
    let blurred = Self.blur(zip(painted, own).map(+), kernel)
    let noise = try NoiseShape(spatial: .stationary(spectrum)).draw(
      shape: Self.shape, stream: &stream)
    (self.weights, self.meanPicture) = (weights, meanPicture)
    self.fixedVariances = fixedVariances
    data = (0..<Self.pixels).map {
      Float(
        blurred[$0] + Self.sigma * noise[$0] + Double(fixedVariances[$0]).squareRoot()
          * stream.normal())
    }
  }

  var prior: LinearGaussianPrior {
    get throws {
      try LinearGaussianPrior(
        image: Self.shape, weights: weights, mean: meanPicture,
        residualVariances: residual.variances)
    }
  }

  var measurement: GaussianMeasurement {
    get throws {
      try GaussianMeasurement(
        forwardOperator: ConvolutionOperator(shape: Self.shape, kernel: kernel),
        observed: observed, noise: NoiseShape(spatial: .stationary(spectrum)),
        fixedVariances: fixedVariances, residual: residual)
    }
  }

  /// The measurement with all of the residual's and all of the fixed standard deviations multiplied.
  func scaled(residual scale: Double, fixed: Double) throws -> GaussianMeasurement {
    try GaussianMeasurement(
      forwardOperator: ConvolutionOperator(shape: Self.shape, kernel: kernel),
      observed: observed, noise: NoiseShape(spatial: .stationary(spectrum)),
      fixedVariances: fixedVariances.map { Float(fixed * fixed) * $0 },
      residual: ResidualCovariance(
        variances: residual.variances.map { Float(scale * scale) * $0 },
        factors: residual.factors.map { Float(scale) * $0 }))
  }

  /// y(i, j) = Σ h(a, b) x(i − a + 1, j − b + 1), periodic.
  static func blur(_ x: [Double], _ kernel: Tensor) -> [Double] {
    (0..<pixels).map { index in
      let (row, column) = (index / side, index % side)
      var sum = 0.0
      for a in 0..<3 {
        for b in 0..<3 {
          let (i, j) = ((row - a + 1 + side) % side, (column - b + 1 + side) % side)
          sum += Double(kernel.values[a * 3 + b]) * x[i * side + j]
        }
      }
      return sum
    }
  }

  /// σ²N₀ + diag r between two pixels, by cosines.
  private func noise(_ i: Int, _ j: Int) -> Double {
    let side = Self.side
    let (dy, dx) = (i / side - j / side, i % side - j % side)
    var sum = 0.0
    for (bin, power) in spectrum.values.enumerated() {
      let phase = Double(bin / side * dy + bin % side * dx) / Double(side)
      sum += power * cos(2 * .pi * phase)
    }
    return Self.sigma * Self.sigma * sum / Double(Self.pixels)
      + (i == j ? Double(fixedVariances[i]) : 0)
  }

  struct Solution {
    let baseMean: [Double]
    let baseCovariance: [[Double]]
    let pictureMean: [Double]
    let pictureDeviation: [Double]
    /// ln p(y).
    let evidence: Double
  }

  /// A_O: rows of observed data.
  private var rows: [[Double]] {
    var columns: [[Double]] = []
    for pixel in 0..<Self.pixels {
      var unit = [Double](repeating: 0, count: Self.pixels)
      unit[pixel] = 1
      columns.append(Self.blur(unit, kernel))
    }
    return (0..<Self.pixels).filter { observed[$0] }.map { row in columns.map { $0[row] } }
  }

  func solve() -> Solution {
    let seen = (0..<Self.pixels).filter { observed[$0] }
    let a = rows
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    // Columns of what is random in x: W, then F; and s.
    var sources: [[Double]] = (0..<Self.latent).map { k in
      (0..<Self.pixels).map { Double(weights[$0 * Self.latent + k]) }
    }
    sources += (0..<3).map { r in
      (0..<Self.pixels).map { Double(residual.factors[r * Self.pixels + $0]) }
    }
    let seenSources = sources.map { source in a.map { dot($0, source) } }
    let s = residual.variances.map { Double($0) }
    let scaled = a.map { zip($0, s).map(*) }
    var covariance = seen.indices.map { i in
      seen.indices.map { j -> Double in
        var sum = noise(seen[i], seen[j]) + dot(scaled[i], a[j])
        for source in seenSources { sum += source[i] * source[j] }
        return sum
      }
    }
    let blurredMean = Self.blur(meanPicture.map { Double($0) }, kernel)
    let misfit = seen.map { Double(data[$0]) - blurredMean[$0] }
    // Cov(x, y) rows: pixels; Cov(u, y): the first sources.
    let cross = (0..<Self.pixels).map { pixel in
      seen.indices.map { i in
        sources.indices.reduce(scaled[i][pixel]) { $0 + sources[$1][pixel] * seenSources[$1][i] }
      }
    }
    let base = Array(seenSources.prefix(Self.latent))
    let solutions = solveLinear(covariance, [misfit] + base + cross)
    let pull = solutions[0]
    let baseGains = Array(solutions[1...Self.latent])
    let gains = Array(solutions[(Self.latent + 1)...])
    let pictureDeviation = (0..<Self.pixels).map { pixel in
      let prior = sources.reduce(s[pixel]) { $0 + $1[pixel] * $1[pixel] }
      return (prior - dot(gains[pixel], cross[pixel])).squareRoot()
    }
    // ln det by elimination without pivots: the covariance is positive definite.
    var logDeterminant = 0.0
    for column in seen.indices {
      logDeterminant += log(covariance[column][column])
      for row in column + 1..<max(seen.count, column + 1) {
        let factor = covariance[row][column] / covariance[column][column]
        for index in column..<seen.count {
          covariance[row][index] -= factor * covariance[column][index]
        }
      }
    }
    return Solution(
      baseMean: base.map { dot($0, pull) },
      baseCovariance: base.indices.map { i in
        base.indices.map { j in (i == j ? 1 : 0) - dot(baseGains[i], base[j]) }
      },
      pictureMean: (0..<Self.pixels).map { Double(meanPicture[$0]) + dot(cross[$0], pull) },
      pictureDeviation: pictureDeviation,
      evidence: -0.5
        * (dot(pull, misfit) + logDeterminant + Double(seen.count) * log(2 * Double.pi)))
  }
}
