import Foundation
import Randomness
import Testing

@testable import Tiles

@Suite struct RandomStreamNormalsTests {
  /// Meant to catch: cosine for sine; the radius without its factor of two; one word for both uniforms.
  @Test("single-precision normals have the normal moments, and pairs are independent")
  func moments() {
    var stream = RandomKey(seed: 3).stream()
    let number = 320_000
    var values = [Float](repeating: 0, count: number)
    stream.fillNormals(&values, count: number)
    let powers = (1...4).map { power in
      values.reduce(0.0) { $0 + pow(Double($1), Double(power)) } / Double(number)
    }
    // Variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    for (index, (expected, spread)) in [(0.0, 1.0), (1, 2), (0, 15), (3, 96)].enumerated() {
      #expect(abs(powers[index] - expected) < 4 * (spread / Double(number)).squareRoot())
    }
    var (products, squares) = (0.0, 0.0)
    for block in stride(from: 0, to: number, by: 32) {
      for lane in 0..<16 {
        let (a, b) = (Double(values[block + lane]), Double(values[block + 16 + lane]))
        products += a * b
        squares += (a * a - 1) * (b * b - 1)
      }
    }
    let pairs = Double(number / 2)
    #expect(abs(products / pairs) < 4 / pairs.squareRoot())
    #expect(abs(squares / pairs) < 4 * 2 / pairs.squareRoot())
    let beyond = Double(values.count { abs($0) > 3 }) / Double(number)
    #expect(abs(beyond - 0.0026998) < 4 * (0.0027 / Double(number)).squareRoot())
  }

  /// Meant to catch: whole vectors stored at the end.
  @Test("no more is written than is asked for", arguments: [1, 15, 16, 17, 31, 33])
  func ends(count: Int) {
    var stream = RandomKey(seed: 4).stream()
    var values = [Float](repeating: 9, count: 80)
    stream.fillNormals(&values, count: count)
    #expect(values[..<count].allSatisfy { $0 != 9 } && values[count...].allSatisfy { $0 == 9 })
  }
}
