import LawCheckers
import Foundation
import Maps
import Noise
import Numerics
import Testing

@Suite("a spectrum in radial bins") struct RadialSpectrumTests {
  // Fails when: P is interpolated and not ln P; the shares of two bins are exchanged; beyond the last bin
  // is the first.
  @Test("ln P is linear between the bins and constant beyond them")
  func interpolation() throws {
    let spectrum = try RadialSpectrum(frequencies: [0.1, 0.2, 0.5], powers: [4, 1, 8])
    for (frequency, expected) in [
      (0, 4.0), (0.05, 4), (0.1, 4), (0.125, pow(4, 0.75)), (0.15, 2), (0.2, 1), (0.3, 2),
      (0.4, 4), (0.5, 8), (0.51, 8), (0.7, 8),
    ] {
      // exp and log of numbers near one: a few ulps, and the share's own.
      #expect(abs(spectrum.power(at: frequency) / expected - 1) < 1e-14, "\(frequency)")
    }
    let flat = try RadialSpectrum(frequencies: [0.3], powers: [0.7])
    for frequency in [0, 0.3, 0.5] { #expect(flat.power(at: frequency) == 0.7) }
  }

  /// P = 0.3 exp(−k/0.07) is its own interpolation, at whatever frequencies its bins are.
  // Fails when: the frequency of a row is over the width; those above one half are not negative.
  @Test("a grid reads it at the length of its frequencies", arguments: [(6, 9), (9, 6), (1, 8)])
  func grid(_ height: Int, _ width: Int) throws {
    let law = { (k: Double) in 0.3 * exp(-k / 0.07) }
    let nodes = [0, 0.3, 0.45, 0.75]
    let radial = try RadialSpectrum(frequencies: nodes, powers: nodes.map(law))
    let expected = try PowerSpectrum(
      { ky, kx in law((ky * ky + kx * kx).squareRoot()) }, height: height, width: width)
    let found = try radial.spectrum(height: height, width: width)
    for (value, wanted) in zip(found.values, expected.values) {
      // ln P is ten at most: 1e-15 of it.
      #expect(abs(value / wanted - 1) < 3e-14)
    }
  }

  // Fails when: a check is left out.
  @Test("bins that cannot be are named")
  func refusals() {
    func message(_ frequencies: [Double], _ powers: [Double]) -> String {
      do {
        _ = try RadialSpectrum(frequencies: frequencies, powers: powers)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message([], []).contains("no bins"))
    for bad in [0, -1, Double.nan, .infinity] {
      #expect(message([0.1, 0.2, 0.3], [1, bad, bad]).contains("bin 1 is \(bad)"))
    }
    for bad in [0.1, 0.05, Double.nan, .infinity] {
      #expect(message([0.1, bad], [1, 1]).contains("frequency of bin 1 is \(bad)"))
    }
    #expect(message([-0.1, 0.2], [1, 1]).contains("frequency of bin 0 is -0.1"))
    #expect(message([0, 0.2], [1, 1]).isEmpty)
  }
}

@Suite("the variance of a spectrum") struct SpectrumVarianceTests {
  // Fails when: the factor is of deviations.
  @Test("a scaled spectrum has the same shape and the variance asked for")
  func scaling() throws {
    let spectrum = try roughSpectrum(4, 5)
    let scaled = spectrum.scaled(toVariance: 0.02)
    #expect(abs(scaled.variance / 0.02 - 1) < 1e-14)
    for (value, other) in zip(scaled.values, spectrum.values) {
      #expect(abs(value / other * spectrum.variance / 0.02 - 1) < 1e-14)
    }
  }

  /// E s²/C₀ with s² the unbiased variance within a patch of n cells, (tr C − 1ᵀC1/n)/(n − 1), from the
  /// covariance by cosines.
  // Fails when: an offset counts once and not for each of its pairs; n stands for n − 1; the patch is
  // larger than a grid's short side.
  @Test(
    "the local share is what patches show about their means",
    arguments: [(6, 7), (5, 4), (3, 9), (1, 6), (8, 2)], [2, 4])
  func localShare(_ extents: (Int, Int), _ side: Int) throws {
    let (height, width) = extents
    let spectrum = try roughSpectrum(height, width)
    let patch = (0..<min(side, height)).flatMap { row in
      (0..<min(side, width)).map { row * width + $0 }
    }
    let covariance = submatrix(stationaryCovariance(spectrum), patch)
    let n = patch.count
    let trace = patch.indices.reduce(0.0) { $0 + covariance[$1 * (n + 1)] }
    let expected =
      (trace - covariance.reduce(0, +) / Double(n)) / (Double(n - 1) * spectrum.variance)
    #expect(abs(try spectrum.localShare(side: side) - expected) < 1e-12)
    if side == 4 {
      let noise = NoiseShape(spatial: .stationary(spectrum))
      #expect(try noise.localShare() == spectrum.localShare(side: 4))
    }
  }

  @Test("of white noise patches show everything, of a single cell nothing")
  func limits() throws {
    let white = try PowerSpectrum.power(exponent: 0, sigma: 0.3, height: 6, width: 5)
    #expect(abs(try white.localShare(side: 3) - 1) < 1e-14)
    #expect(try NoiseShape.white.localShare() == 1)
    let cell = try PowerSpectrum(height: 1, width: 1, values: [2])
    #expect(try cell.localShare(side: 4) == 0)
  }
}
