import LawCheckers
import Maps
import Noise
import Numerics
import Randomness
import Testing

private let key = RandomKey(seed: 31)

@Suite struct DiagonalNoiseTests {
  // Seen to fail: ½ lost in the log-determinant; variance for deviation in whitening.
  @Test func obeysTheLaws() throws {
    let variances = [0.3, 2, 0.05, 7]
    let noise = try DiagonalNoise(variances: variances)
    let covariance = (0..<16).map { $0 / 4 == $0 % 4 ? variances[$0 / 4] : 0 }
    try checkNoiseModel(noise, covariance: covariance, key: key)
    try checkDraws(noise, covariance: covariance, key: key.child("draws"))
  }

  @Test func integratesToOne() throws {
    let line = try DiagonalNoise.white(sigma: 0.3, dimension: 1)
    #expect(abs(try integral(line, widest: 0.3, narrowest: 0.3) - 1) < 1e-8)
    let plane = try DiagonalNoise(variances: [0.04, 0.09])
    #expect(abs(try integral(plane, widest: 0.3, narrowest: 0.2) - 1) < 1e-8)
  }

  @Test func aVarianceThatCannotBeIsNamed() {
    for bad in [0, -1, Double.nan, .infinity] {
      #expect {
        try DiagonalNoise(variances: [1, bad, bad])
      } throws: { "\($0)".contains("variance 1 is") }
    }
  }
}

@Suite struct StationaryNoiseTests {
  // Seen to fail: half-spectrum weight 2 lost in the form or in the log-determinant; the last column
  // of an odd width weighed once; 1/n lost in whitening.
  @Test(arguments: [(1, 1), (1, 2), (1, 9), (2, 1), (7, 1), (4, 6), (5, 7), (6, 5), (3, 8), (8, 8)])
  func agreesWithADenseGaussian(_ height: Int, _ width: Int) throws {
    let spectrum = try roughSpectrum(height, width)
    try checkNoiseModel(
      StationaryNoise(spectrum: spectrum), covariance: stationaryCovariance(spectrum), key: key)
  }

  @Test func channelsAreIndependent() throws {
    let spectrum = try roughSpectrum(2, 3)
    let one = stationaryCovariance(spectrum)
    var two = [Double](repeating: 0, count: 144)
    for i in 0..<12 {
      for j in 0..<12 where i / 6 == j / 6 { two[i * 12 + j] = one[i % 6 * 6 + j % 6] }
    }
    try checkNoiseModel(
      StationaryNoise(spectrum: spectrum, channels: 2), covariance: two, key: key)
  }

  @Test func drawsAndDensityAreRight() throws {
    let spectrum = try roughSpectrum(2, 3)
    try checkDraws(
      StationaryNoise(spectrum: spectrum), covariance: stationaryCovariance(spectrum),
      key: key.child("draws"))
    let pair = try PowerSpectrum(height: 1, width: 2, values: [1.5, 0.4])
    let widest = 1.5.squareRoot()
    #expect(
      abs(try integral(StationaryNoise(spectrum: pair), widest: widest, narrowest: 0.6) - 1) < 1e-8)
  }
}

@Suite struct DenseNoiseTests {
  // Seen to fail: transpose lost in the solve; last lane skipped.
  @Test func obeysTheLaws() throws {
    let covariance = [2.0, 0.6, -0.3, 0.6, 1, 0.2, -0.3, 0.2, 0.5]
    let noise = try DenseNoise(covariance: covariance, dimension: 3)
    try checkNoiseModel(noise, covariance: covariance, key: key)
    try checkDraws(noise, covariance: covariance, key: key.child("dense"))
    let plane = try DenseNoise(covariance: [1, 0.5, 0.5, 0.8], dimension: 2)
    #expect(abs(try integral(plane, widest: 1.2, narrowest: 0.6) - 1) < 1e-8)
  }

  @Test func whatCannotBeFactoredIsNamed() {
    #expect {
      try DenseNoise(covariance: [1, 1, 1, 1], dimension: 2)
    } throws: { "\($0)".contains("singular or indefinite at datum 1") }
    #expect {
      try DenseNoise(covariance: [1, 2, 2, 1], dimension: 2)
    } throws: { "\($0)".contains("singular or indefinite at datum 1") }
    #expect {
      try DenseNoise(covariance: [1, 0, .nan, 1], dimension: 2)
    } throws: { "\($0)".contains("element 2") }
    #expect(throws: PlanError.self) { try DenseNoise(covariance: [], dimension: 4097) }
  }
}

@Suite struct PowerSpectrumTests {
  @Test func powerLawHasItsExponentKneeAndVariance() throws {
    let flat = try PowerSpectrum.power(exponent: 0, sigma: 0.3, height: 4, width: 5)
    #expect(flat.values.allSatisfy { abs($0 - 0.09) < 1e-15 })
    let red = try PowerSpectrum.power(exponent: 2, sigma: 0.5, height: 6, width: 8)
    #expect(abs(red.variance - 0.25) < 1e-14)
    // Frequencies (1/6, 0) and (2/6, −1/8).
    let ratio = (4.0 / 36 + 1.0 / 64) / (1.0 / 36)
    #expect(abs(red.values[8] / red.values[2 * 8 + 7] - ratio) < 1e-12)
    #expect(red.values[0] == red.values[1])
    let tall = try PowerSpectrum.power(exponent: 1, sigma: 1, height: 9, width: 2)
    #expect(tall.values[0] == tall.values[2])
    let knee = try PowerSpectrum.power(exponent: 3, knee: 0.1, sigma: 1, height: 1, width: 4)
    let expected = 0.1 * 0.1 / (0.0625 + 0.01)
    #expect(abs(knee.values[1] / knee.values[0] - expected * expected.squareRoot()) < 1e-12)
    #expect(try PowerSpectrum.power(exponent: 2, sigma: 2, height: 1, width: 1).values == [4])
  }

  @Test func autocovarianceAtZeroIsTheVariance() throws {
    let red = try PowerSpectrum.power(exponent: 1.5, sigma: 0.2, height: 5, width: 6)
    let lags = try red.autocovariance()
    #expect(abs(lags[0] - 0.04) < 1e-15)
    #expect(lags[1] > 0.005)
  }

  @Test func unusableBinsAreNamed() {
    for bad in [0, -2, Double.nan, .infinity] {
      #expect {
        try PowerSpectrum(height: 1, width: 3, values: [1, bad, bad])
      } throws: { "\($0)".contains("bin 1 of") }
    }
    #expect {
      try PowerSpectrum(height: 1, width: 3, values: [1, 2, 3])
    } throws: { "\($0)".contains("opposite frequency, bin 2") }
    #expect(throws: PlanError.self) {
      try PowerSpectrum.power(exponent: 2, sigma: 0, height: 3, width: 3)
    }
  }
}
