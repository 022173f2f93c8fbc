import Foundation
import LawCheckers
import Maps
import Numerics
import Operators
import Randomness
import Tensors
import Testing

/// A flag for about half of the frequencies, the two members of a pair independently.
private func pattern(_ height: Int, _ width: Int, seed: UInt64) -> [Bool] {
  var flags = randomValues(height * width, seed: seed).map { $0 > 0 }
  flags[0] = true
  return flags
}

/// The unitary transform of height × width grids by its definition, real and imaginary part in turn.
private func unitaryTransform(_ x: [Float], _ height: Int, _ width: Int) -> [Double] {
  let cells = height * width
  return x.indices.flatMap { index -> [Double] in
    let (grid, u, v) = (index / cells, index / width % height, index % width)
    var (real, imaginary) = (0.0, 0.0)
    for i in 0..<height {
      for j in 0..<width {
        let turns = Double(u * i) / Double(height) + Double(v * j) / Double(width)
        let value = Double(x[grid * cells + i * width + j])
        real += value * cos(2 * .pi * turns)
        imaginary -= value * sin(2 * .pi * turns)
      }
    }
    let scale = 1 / Double(cells).squareRoot()
    return [real * scale, imaginary * scale]
  }
}

/// The data of one grid by the documented order: the half spectrum in row-major order, each pair at
/// its first member there.
private func directData(
  _ spectrum: [Double], _ height: Int, _ width: Int, _ sampled: [Bool]
) -> [Double] {
  var data: [Double] = []
  var seen: Set<Int> = []
  for u in 0..<height {
    for v in 0...width / 2 {
      let bin = u * width + v
      let opposite = (height - u) % height * width + (width - v) % width
      guard sampled[bin] || sampled[opposite], !seen.contains(opposite) else { continue }
      seen.insert(bin)
      if bin == opposite {
        data.append(spectrum[2 * bin])
      } else {
        data.append(2.0.squareRoot() * spectrum[2 * bin])
        data.append(2.0.squareRoot() * spectrum[2 * bin + 1])
      }
    }
  }
  return data
}

@Suite("Fourier sampling")
struct FourierSamplingOperatorTests {
  private static let sizes = [(6, 8), (5, 7), (1, 9), (4, 1), (7, 6), (13, 2), (1, 1), (2, 2)]

  // Fails when: the opposite of a bin in column 0 or W/2 is not written; the half of the pair's
  // scale is lost in the vjp; the sign of the imaginary part is lost.
  @Test("⟨Ax, y⟩ = ⟨x, Aᵀy⟩", arguments: [1, 3])
  func adjoint(_ channels: Int) throws {
    for (height, width) in Self.sizes {
      let map = try FourierSamplingOperator(
        shape: Shape(channels, height, width), sampled: pattern(height, width, seed: 28))
      #expect(try checkAdjoint(map, key: RandomKey(seed: 29)) < adjointBound)
    }
  }

  // Fails when: √2 is lost; a pair in column 0 or W/2 counts twice; the flag of the other member of
  // a pair is not looked at.
  @Test("the data are the coefficients of the definition, in the documented order")
  func directSum() throws {
    for (height, width) in Self.sizes {
      let sampled = pattern(height, width, seed: 30)
      let map = try FourierSamplingOperator(shape: Shape(2, height, width), sampled: sampled)
      let cells = height * width
      let x = randomValues(3 * 2 * cells, seed: 31)
      let spectrum = unitaryTransform(x, height, width)
      var expected: [Double] = []
      for grid in 0..<6 {
        let range: Range<Int> = 2 * grid * cells..<2 * (grid + 1) * cells
        expected += directData(Array(spectrum[range]), height, width, sampled)
      }
      #expect(map.codomain == Shape(expected.count / 3))
      #expect(map.dataPerChannel == expected.count / 6)
      #expect(largestDifference(try image(map, x), expected) < 5e-6, "\(height)×\(width)")
      // The same from the complex array, whichever member of a pair has the flag.
      let data = try map.data(fromSpectrum: Array(spectrum.prefix(4 * cells)))
      #expect(largestDifference(data, Array(expected.prefix(data.count))) < 5e-6)
      #expect(data.count == map.codomain.count)
    }
  }

  // Fails when: a scale is lost in both directions.
  @Test("A Aᵀ = I, and Aᵀ A = I when everything is sampled")
  func orthonormalRows() throws {
    for (height, width) in Self.sizes {
      let shape = Shape(2, height, width)
      let some = try FourierSamplingOperator(
        shape: shape, sampled: pattern(height, width, seed: 32))
      let y = randomValues(3 * some.codomain.count, seed: 33)
      #expect(
        largestDifference(try image(some, try pulledBack(some, y)), y.map(Double.init)) < 3e-6)
      let all = try FourierSamplingOperator(
        shape: shape, sampled: [Bool](repeating: true, count: height * width))
      #expect(all.codomain.count == shape.count)
      let x = randomValues(shape.count, seed: 34)
      let data = try image(all, x)
      #expect(
        largestDifference(try all.zeroFilledPicture(from: data).values, x.map(Double.init)) < 3e-6)
      let spectrum = unitaryTransform(x, height, width)
      let difference = zip(all.spectrum(from: data), spectrum).map { abs($0 - $1) }
      #expect(difference.count == spectrum.count && difference.max()! < 5e-6)
    }
  }

  // Fails when: the bins of the columns 0 and W/2 run over all rows.
  @Test("the layout of a 4×4 grid is pinned")
  func layout() throws {
    let map = try FourierSamplingOperator(
      shape: Shape(1, 4, 4), sampled: [Bool](repeating: true, count: 16))
    let expected = [
      (0, 0, true), (0, 1, false), (0, 2, true), (1, 0, false), (1, 1, false), (1, 2, false),
      (2, 0, true), (2, 1, false), (2, 2, true), (3, 1, false),
    ]
    #expect(map.bins.map(\.row) == expected.map(\.0))
    #expect(map.bins.map(\.column) == expected.map(\.1))
    #expect(map.bins.map(\.isSelfConjugate) == expected.map(\.2))
  }

  // Fails when: the conjugate of the opposite is lost; its flag is taken for that of the bin.
  @Test("a pair measured twice is averaged, once is taken as it is; the rest is not read")
  func pairs() throws {
    // A row of three: bin 1 and bin 2 are one pair.
    let measured: [(Double, Double)] = [(5, 9), (1, 2), (3, -4)]
    func data(_ flags: [Bool]) throws -> [Float] {
      var spectrum: [Double] = []
      for (flag, value) in zip(flags, measured) {
        spectrum += flag ? [value.0, value.1] : [.nan, .nan]
      }
      let map = try FourierSamplingOperator(shape: Shape(1, 1, 3), sampled: flags)
      return try map.data(fromSpectrum: spectrum)
    }
    let root = 2.0.squareRoot()
    #expect(largestDifference(try data([true, true, false]), [5, root, 2 * root]) < 1e-6)
    #expect(largestDifference(try data([false, false, true]), [3 * root, 4 * root]) < 1e-6)
    #expect(largestDifference(try data([false, true, true]), [2 * root, 3 * root]) < 1e-6)
  }

  // Fails when: a check is left out; row and column of a bin are exchanged.
  @Test("wrong patterns and spectra are named")
  func refusals() throws {
    let shape = Shape(1, 2, 3)
    #expect(
      refusal { _ = try FourierSamplingOperator(shape: shape, sampled: [true, false]) }
        == "there are 2 sampling flags for the 2×3 frequencies of the picture; give one for each")
    #expect(
      refusal {
        _ = try FourierSamplingOperator(
          shape: shape, sampled: [Bool](repeating: false, count: 6))
      }
        == "no Fourier frequency is sampled; sample at least one")
    let map = try FourierSamplingOperator(
      shape: shape, sampled: [false, false, false, false, true, false])
    #expect(
      refusal { _ = try map.data(fromSpectrum: [1, 2]) }
        == "the spectrum has 1 coefficients but the picture of 1×2×3 has 6; give one for each")
    var spectrum = [Double](repeating: 0, count: 12)
    spectrum[9] = .infinity
    #expect(
      refusal { _ = try map.data(fromSpectrum: spectrum) }
        == "the Fourier coefficient of row 1, column 1 is sampled but not finite; take its flag "
        + "away")
  }
}
