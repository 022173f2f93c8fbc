import Foundation
import Noise
import Numerics
import Randomness
import Testing

/// ln N(r; 0, N) and N⁻¹r by an independent dense Cholesky factorization, covariance row-major D×D.
package func denseGaussian(_ residual: [Double], covariance: [Double]) -> (
  value: Double, pull: [Double]
) {
  let d = residual.count
  var lower = [Double](repeating: 0, count: d * d)
  for i in 0..<d {
    for j in 0...i {
      var sum = covariance[i * d + j]
      for k in 0..<j { sum -= lower[i * d + k] * lower[j * d + k] }
      lower[i * d + j] = i == j ? sum.squareRoot() : sum / lower[j * d + j]
    }
  }
  var white = residual
  var logDeterminant = 0.0
  for i in 0..<d {
    for k in 0..<i { white[i] -= lower[i * d + k] * white[k] }
    white[i] /= lower[i * d + i]
    logDeterminant += 2 * log(lower[i * d + i])
  }
  let square = white.reduce(0) { $0 + $1 * $1 }
  for i in (0..<d).reversed() {
    for k in i + 1..<max(d, i + 1) { white[i] -= lower[k * d + i] * white[k] }
    white[i] /= lower[i * d + i]
  }
  return (-0.5 * (square + logDeterminant + Double(d) * log(2 * .pi)), white)
}

/// Values and gradients of a model at `residuals` (lanes × D).
package func evaluate(
  _ model: some NoiseModel, _ residuals: [Double]
) throws -> (values: [Double], gradients: [Double]) {
  let lanes = residuals.count / model.dimension
  var values = [Double](repeating: .nan, count: lanes)
  var gradients = [Double](repeating: .nan, count: residuals.count)
  var first = values.mutableSpan
  var second = gradients.mutableSpan
  try model.makePlan(lanes: lanes).evaluate(
    residuals.span, logDensities: &first, gradients: &second)
  return (values, gradients)
}

/// The laws of every noise model, against the dense covariance it claims to have:
/// value and gradient agree with a dense Gaussian to 1e-10, also in the last of three lanes; the
/// gradient is that of differences; whitening is isometric and coloring its inverse.
package func checkNoiseModel(_ model: some NoiseModel, covariance: [Double], key: RandomKey) throws
{
  let (d, lanes) = (model.dimension, 3)
  var stream = key.stream()
  let scale = covariance[0].squareRoot()
  let residuals = stream.normals(lanes * d).map { scale * $0 }
  let (values, gradients) = try evaluate(model, residuals)
  let plan = try model.makePlan(lanes: lanes)
  var white = [Double](repeating: .nan, count: lanes * d)
  var back = white
  var whiteSpan = white.mutableSpan
  plan.whiten(residuals.span, into: &whiteSpan)
  var backSpan = back.mutableSpan
  plan.color(white.span, into: &backSpan)
  for lane in 0..<lanes {
    let range = lane * d..<(lane + 1) * d
    let expected = denseGaussian(Array(residuals[range]), covariance: covariance)
    #expect(abs(values[lane] - expected.value) <= 1e-10 * max(1, abs(expected.value)), "\(d) data")
    let size = expected.pull.map(abs).max()!
    #expect(zip(gradients[range], expected.pull).allSatisfy { abs($0 + $1) <= 1e-9 * size })
    let square = white[range].reduce(0) { $0 + $1 * $1 }
    let form = -zip(gradients[range], residuals[range]).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(square - form) <= 1e-9 * form)
  }
  #expect(zip(back, residuals).allSatisfy { abs($0 - $1) <= 1e-9 * scale })
  // The log density is quadratic: central differences are exact but for rounding.
  let h = 1e-3 * scale
  for index in 0..<d {
    var (above, below) = (Array(residuals[0..<d]), Array(residuals[0..<d]))
    above[index] += h
    below[index] -= h
    let pair = try evaluate(model, above + below).values
    let slope = (pair[0] - pair[1]) / (2 * h)
    #expect(abs(slope - gradients[index]) <= 1e-7 * max(1 / scale, abs(gradients[index])))
  }
}

/// Draws have mean 0 and the covariance claimed, and white draws the identity: every element within
/// 4.5 standard errors (var of a sample covariance: (N_ii N_jj + N_ij²)/n), fixed seed.
package func checkDraws(_ model: some NoiseModel, covariance: [Double], key: RandomKey) throws {
  let (d, lanes) = (model.dimension, 20_000)
  let plan = try model.makePlan(lanes: lanes)
  var stream = key.stream()
  var draws = [Double](repeating: .nan, count: lanes * d)
  var span = draws.mutableSpan
  plan.draw(&stream, into: &span)
  var white = draws
  var whiteSpan = white.mutableSpan
  plan.whiten(draws.span, into: &whiteSpan)
  let identity = (0..<d * d).map { $0 / d == $0 % d ? 1.0 : 0 }
  for (sample, expected) in [(draws, covariance), (white, identity)] {
    for i in 0..<d {
      let mean = stride(from: i, to: lanes * d, by: d).reduce(0) { $0 + sample[$1] } / Double(lanes)
      #expect(abs(mean) < 4.5 * (expected[i * d + i] / Double(lanes)).squareRoot())
      for j in 0...i {
        var sum = 0.0
        for lane in 0..<lanes { sum += sample[lane * d + i] * sample[lane * d + j] }
        let cross = expected[i * d + j]
        let spread = expected[i * d + i] * expected[j * d + j] + cross * cross
        #expect(abs(sum / Double(lanes) - cross) < 4.5 * (spread / Double(lanes)).squareRoot())
      }
    }
  }
}

/// ∫ exp(log density) over ±9 standard deviations in 1-D or 2-D by the trapezoidal rule, which for a
/// Gaussian is exact to 1e-9 at a quarter of a standard deviation.
package func integral(_ model: some NoiseModel, widest: Double, narrowest: Double) throws -> Double
{
  let step = narrowest / 4
  let half = Int((9 * widest / step).rounded(.up))
  let axis = (-half...half).map { Double($0) * step }
  if model.dimension == 1 {
    return try evaluate(model, axis).values.reduce(0) { $0 + exp($1) } * step
  }
  let points = axis.flatMap { x in axis.flatMap { [x, $0] } }
  return try evaluate(model, points).values.reduce(0) { $0 + exp($1) } * step * step
}

/// Row-major covariance of stationary noise by the defining sum over all H·W bins.
package func stationaryCovariance(_ spectrum: PowerSpectrum) -> [Double] {
  let (h, w) = (spectrum.height, spectrum.width)
  let n = h * w
  var matrix = [Double](repeating: 0, count: n * n)
  for a in 0..<n {
    for b in 0..<n {
      var sum = 0.0
      for k in 0..<n {
        let phase =
          Double((k / w) * (a / w - b / w)) / Double(h) + Double((k % w) * (a % w - b % w))
          / Double(w)
        sum += spectrum.values[k] * cos(2 * .pi * phase)
      }
      matrix[a * n + b] = sum / Double(n)
    }
  }
  return matrix
}

/// Rows and columns of a row-major n×n matrix at the chosen indices.
package func submatrix(_ matrix: [Double], _ chosen: [Int]) -> [Double] {
  let size = Int(Double(matrix.count).squareRoot())
  return chosen.flatMap { a in chosen.map { matrix[a * size + $0] } }
}

/// A spectrum with no symmetry but the one it must have.
package func roughSpectrum(_ height: Int, _ width: Int) throws -> PowerSpectrum {
  var stream = RandomKey(seed: 31).child("spectrum").child(height * 100 + width).stream()
  var values = [Double](repeating: 0, count: height * width)
  for index in values.indices {
    let opposite = (height - index / width) % height * width + (width - index % width) % width
    values[index] = opposite < index ? values[opposite] : 0.2 + 3 * stream.uniform()
  }
  return try PowerSpectrum(height: height, width: width, values: values)
}
