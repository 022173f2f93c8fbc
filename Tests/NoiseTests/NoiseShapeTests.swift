import LawCheckers
import Randomness
import Tensors
import Testing

@testable import Noise
@testable import Numerics

@Suite("the shape of noise") struct NoiseShapeTests {
  // Fails when: the larger grid is read with the data's width; the draw is cut elsewhere than the
  // covariance; channels are mixed up; K is not applied, or its factor transposed.
  @Test("draws have the covariance that is stated", arguments: [false, true])
  func covariance(_ isOpen: Bool) throws {
    let shape = Shape(2, 3, 4)
    let (height, width) = isOpen ? (8, 9) : (3, 4)
    let spectrum = try PowerSpectrum.power(
      exponent: 2, knee: 0.1, sigma: 1, height: height, width: width)
    let noise = try NoiseShape(
      spatial: .stationary(spectrum), channelCovariance: [1, 0.6, 0.6, 2])
    let elements = Array(0..<24)
    let lower = try noise.covariance(of: elements, shape: shape)
    let expected = elements.flatMap { i in elements.map { j in lower[max(i, j) * 24 + min(i, j)] } }
    var stream = RandomKey(seed: 90).child(isOpen ? 1 : 0).stream()
    let draws = 10_000
    var (sums, squares) = ([Double](repeating: 0, count: 24), [Double](repeating: 0, count: 576))
    for _ in 0..<draws {
      let values = try noise.draw(shape: shape, stream: &stream)
      for i in elements {
        sums[i] += values[i]
        for j in elements { squares[i * 24 + j] += values[i] * values[j] }
      }
    }
    // Standard errors √(C_ii/n) and √((C_ii C_jj + C_ij²)/n); 600 numbers: 5 of them.
    for i in elements {
      let variance = expected[i * 25]
      #expect(abs(sums[i] / Double(draws)) < 5 * (variance / Double(draws)).squareRoot())
      for j in elements {
        let c = expected[i * 24 + j]
        let error = ((variance * expected[j * 25] + c * c) / Double(draws)).squareRoot()
        #expect(abs(squares[i * 24 + j] / Double(draws) - c) < 5 * error, "\(i), \(j)")
      }
    }
    // Opposite borders of a row: neighbours on the data's own grid only.
    let opposite = expected[3]
    #expect(isOpen ? opposite < 0.7 * expected[1] : abs(opposite - expected[1]) < 1e-9)
  }

  // Fails when: K is left out, or stands for white noise in other pixels, too; the chosen elements are
  // laid out with the larger grid's extents.
  @Test("the covariance is K times the autocovariance", arguments: [false, true], [false, true])
  func covarianceIsAProduct(_ isWhite: Bool, _ isCorrelated: Bool) throws {
    let shape = Shape(2, 3, 4)
    let spectrum = try roughSpectrum(5, 6)
    let spatial: NoiseShape.Spatial = isWhite ? .white : .stationary(spectrum)
    let common = isCorrelated ? [1, 0.6, 0.6, 2] : [1.0, 0, 0, 1]
    let noise =
      isCorrelated
      ? try NoiseShape(spatial: spatial, channelCovariance: common) : NoiseShape(spatial: spatial)
    let elements = [0, 3, 4, 11, 12, 17, 23]
    let found = try noise.covariance(of: elements, shape: shape)
    let lags = stationaryCovariance(spectrum)
    for (i, a) in elements.enumerated() {
      for (j, b) in elements[...i].enumerated() {
        let (p, q) = (a % 12, b % 12)
        let inChannel =
          isWhite ? (p == q ? 1 : 0) : lags[(p / 4 * 6 + p % 4) * 30 + q / 4 * 6 + q % 4]
        // Sums of 30 terms of at most 3.2 by either way.
        #expect(
          abs(found[i * 7 + j] - common[a / 12 * 2 + b / 12] * inChannel) < 1e-13, "\(a) \(b)")
      }
    }
  }
}
