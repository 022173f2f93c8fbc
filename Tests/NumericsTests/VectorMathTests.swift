import Foundation
import Networks
import Numerics
import Testing

@Suite struct VectorMathTests {
  private func exponential(of x: Float) -> Float { Numerics.exponential(Vector(repeating: x))[0] }
  private func logistic(of x: Float) -> Float { Numerics.logistic(Vector(repeating: x))[0] }

  /// |value − exact| in units of the last place of the rounded exact value.
  private func ulps(_ value: Float, _ exact: Double) -> Double {
    abs(Double(value) - exact) / Double(Float(exact).ulp)
  }

  /// Seen to fail: the term r⁷/7! lost; ln 2 in one part.
  @Test("e^x is within 2 ulp over a dense grid of [−87, 88]")
  func exponentialError() {
    var worst = (error: 0.0, x: Float(0))
    let count = 2_000_000
    for step in stride(from: 0, to: count, by: 16) {
      var x = Vector(repeating: 0)
      for lane in 0..<16 {
        x[lane] = min(Float(-87 + 175 * Double(step + lane) / Double(count - 1)), 88)
      }
      let y = Numerics.exponential(x)
      for lane in 0..<16 {
        let error = ulps(y[lane], exp(Double(x[lane])))
        if !(error <= worst.error) { worst = (error, x[lane]) }
      }
    }
    #expect(worst.error <= 2, "\(worst)")
  }

  @Test("e^x near 0 and at the ends of its range is within 2 ulp")
  func exponentialSpecialPoints() {
    var points: [Float] = [0, -0.0, -87, 88, 1, -1, 0.5, .leastNonzeroMagnitude, 0x1p-24, -0x1p-25]
    for n in -125...126 {
      let half = Float((Double(n) + 0.5) * log(2))
      points += [half.nextDown, half, half.nextUp]
    }
    for x in points where x >= -87 && x <= 88 {
      #expect(ulps(exponential(of: x), exp(Double(x))) <= 2, "\(x)")
    }
    #expect(exponential(of: 0) == 1)
  }

  /// Seen to fail: the upper clamp at 89, where 2¹²⁸ leaves the exponent field; NaN not put back, whose
  /// low bits then move into the exponent and make a number of it.
  @Test("outside its range e^x underflows and saturates, finite; NaN stays NaN")
  func exponentialLimits() {
    let floor = exponential(of: -87)
    let ceiling = exponential(of: 88)
    #expect(floor > 1e-38 && floor < 2e-38)
    #expect(ceiling > 1.6e38 && ceiling < 1.8e38)
    for x: Float in [-87.1, -1000, -.greatestFiniteMagnitude, -.infinity] {
      #expect(exponential(of: x) == floor)
    }
    for x: Float in [88.1, 1000, .greatestFiniteMagnitude, .infinity] {
      #expect(exponential(of: x) == ceiling)
    }
    #expect(exponential(of: .nan).isNaN && exponential(of: -.nan).isNaN)
    #expect(exponential(of: Float(bitPattern: 0x7F80_0001)).isNaN)
    // Every exponent and a few mantissas, both signs.
    for exponent in UInt32(0)..<255 {
      for mantissa: UInt32 in [0, 1, 0x2a_aaaa, 0x55_5555, 0x7f_ffff] {
        for sign: UInt32 in [0, 1] {
          let x = Float(bitPattern: sign << 31 | exponent << 23 | mantissa)
          #expect(exponential(of: x).isFinite && exponential(of: x) > 0)
        }
      }
    }
  }

  /// Seen to fail: e^x for e^−x.
  @Test("1/(1 + e^−x) is within 4 ulp, and saturates at 0 and 1")
  func logisticError() {
    for step in 0...200_000 {
      let x = Float(-86 + 172 * Double(step) / 200_000)
      #expect(ulps(logistic(of: x), 1 / (1 + exp(-Double(x)))) <= 4)
    }
    #expect(logistic(of: 0) == 0.5)
    #expect(logistic(of: .infinity) == 1 && logistic(of: 1e30) == 1)
    for x: Float in [-100, -1e30, -.infinity] {
      #expect(logistic(of: x) >= 0 && logistic(of: x) < 1e-37)
    }
  }

  /// Seen to fail: the tail computed from the element before it.
  @Test("forEachVector reaches every element once and nothing behind", arguments: 0..<50)
  func everyElement(_ count: Int) {
    let a = (0..<count).map { Float($0) + 0.5 }
    let b = (0..<count).map { Float($0) * 3 }
    var one = [Float](repeating: -1, count: count + 20)
    var two = one
    forEachVector(count, a, into: &one) { $0 + 1 }
    forEachVector(count, a, b, into: &two) { $0 - $1 }
    for index in 0..<count {
      #expect(one[index] == a[index] + 1)
      #expect(two[index] == a[index] - b[index])
    }
    #expect(one[count...].allSatisfy { $0 == -1 } && two[count...].allSatisfy { $0 == -1 })
  }

  /// Seen to fail: all sixteen loaded; all sixteen stored.
  @Test("partial loads pad with zeros and partial stores keep what lies behind", arguments: 0..<16)
  func partial(_ count: Int) {
    let source = (0..<16).map { Float($0) + 1 }
    let loaded = loadPartial(source, count)
    for lane in 0..<16 { #expect(loaded[lane] == (lane < count ? source[lane] : 0)) }
    var target = [Float](repeating: -1, count: 16)
    storePartial(load(source), &target, count)
    for lane in 0..<16 { #expect(target[lane] == (lane < count ? source[lane] : -1)) }
    store(load(source), &target)
    #expect(target == source)
  }
}
