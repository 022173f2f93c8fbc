import Foundation
import Numerics
import Testing

@Suite struct VectorNormalTests {
  /// Bounds of each element against the double-precision functions over a dense grid. A polynomial's
  /// coefficient changed in its fifth digit, a lost −½ ln 2π, or the low part of ln 2 lost: each seen
  /// to fail.
  @Test func logNormalAndItsSlopeKeepTheirErrorBounds() {
    var worstValue = 0.0
    var worstSlope = 0.0
    for block in 0..<20_000 {
      var x = Vector()
      for lane in 0..<16 {
        let u = (Double(block * 16 + lane) + 0.5) / 320_000
        // Half of the points in [−10, 10], a quarter down to −1000, a quarter down to −1e6.
        let value =
          u < 0.5
          ? -10 + 40 * u : (u < 0.75 ? -pow(10, 1 + 8 * (u - 0.5)) : -pow(10, 3 + 12 * (u - 0.75)))
        x[lane] = Float(value)
      }
      let result = logNormalLanes(x)
      for lane in 0..<16 {
        let t = Double(x[lane])
        let value = logNormalCDF(t)
        worstValue = max(worstValue, abs(Double(result.value[lane]) - value) / max(0.1, abs(value)))
        let slope = inverseMillsRatio(t)
        worstSlope = max(
          worstSlope, abs(Double(result.slope[lane]) - slope) / max(1e-30, slope))
      }
    }
    #expect(worstValue < 2e-6)
    // Far above zero the slope is exp(−x²/2): half an ulp of x²/2 = 43 is 43·2⁻²⁴ = 2.6e-6.
    #expect(worstSlope < 4e-6)
  }

  @Test func exponentLogarithmAndRootKeepTheirErrorBounds() {
    var (exponent, logarithm, root) = (0.0, 0.0, 0.0)
    for block in 0..<10_000 {
      var (x, y) = (Vector(), Vector())
      for lane in 0..<16 {
        let u = (Double(block * 16 + lane) + 0.5) / 160_000
        x[lane] = Float(-86.9 * u)
        y[lane] = Float(exp(-40 + 60 * u))
      }
      let (e, l, r) = (exponential(x), Numerics.logarithm(y), inverseSquareRoot(y))
      for lane in 0..<16 {
        let (a, b) = (Double(x[lane]), Double(y[lane]))
        exponent = max(exponent, abs(Double(e[lane]) / exp(a) - 1))
        logarithm = max(
          logarithm, abs(Double(l[lane]) - log(b)) / max(min(abs(b - 1), 1), abs(log(b))))
        root = max(root, abs(Double(r[lane]) * b.squareRoot() - 1))
      }
    }
    #expect(exponent < 3e-7)
    #expect(logarithm < 2e-7)
    #expect(root < 3e-7)
    #expect(exponential(Vector(repeating: -1e9))[3] < 2e-38)
    #expect(exponential(Vector(repeating: 0))[3] == 1)
  }
}
