import Foundation
import Numerics
import Testing

@testable import Flows

@Suite struct NormalTailsTests {
  /// 0 … 40 in steps of 0.01, and 10² … 10⁶.
  private let places: [Double] = {
    let near: [Double] = (0...4000).map { 0.01 * Double($0) }
    let far: [Double] = (0...40).map { pow(10.0, 2 + 0.1 * Double($0)) }
    return near + far
  }()

  // Fails when: a coefficient is changed in its sixth digit; q is taken with 2 for 3.
  @Test("Mills' ratio is Q/φ, within 4e-7")
  func mills() {
    for a in places {
      let found = Double(millsRatio(all(Float(a)))[0])
      let b = Double(Float(a))
      let expected = exp(logTail(b) + 0.5 * b * b + 0.5 * log(2 * Double.pi))
      // exp of a difference of numbers of order a²/2 ≤ 5e11 has errors of its own in Double.
      if b < 100 { #expect(abs(found / expected - 1) < 4e-7, "\(a)") }
      #expect(abs(found * b - (1 - 1 / (b * b))) < 4e-7 || b < 100, "\(a)")
    }
  }

  /// The logarithm has errors of half an ulp, 6e-8·|ln Q|, which m(a) carries to a.
  // Fails when: one Newton step is left out; the guess is not bounded by 0.
  @Test("the quantile of a tail undoes its logarithm")
  func quantiles() {
    for a in places {
      let logMass = Float(logTail(a))
      let (found, mills) = tailQuantile(all(logMass))
      let ulp = Double(logMass.ulp)
      let slope = a < 1 ? 1.26 : 1 / a
      #expect(abs(Double(found[0]) - a) < 4e-7 * (1 + a) + ulp * slope, "\(a)")
      #expect(abs(mills[0] / millsRatio(found)[0] - 1) < 1e-6)
    }
  }
}
