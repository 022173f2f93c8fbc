import Foundation
import Numerics
import Randomness
import Testing

/// x, ln Φ(x), φ(x)/Φ(x), computed with mpmath at 60 digits.
private let reference: [(Double, Double, Double)] = [
  (-10000.0, -50000010.129278915181, 10000.000099999998),
  (-1000.0, -500007.82669481218431, 1000.00099999800001),
  (-100.0, -5005.5242086942050886, 100.00999800099926071),
  (-40.0, -804.60844201375378817, 40.024968847207263723),
  (-37.5, -707.66898931750719107, 37.526628874883653599),
  (-12.25, -78.462270827375928643, 12.330579239953756321),
  (-5.0625, -15.391044594000754879, 5.2469813789101817701),
  (-5.0, -15.064998393988725736, 5.1865039671258421156),
  (-4.9375, -14.742730717059104945, 5.1260688473200859723),
  (-2.5, -5.0816482772786904984, 2.8227447976639072505),
  (-1.0, -1.8410216450092635058, 1.5251352761609812091),
  (-0.125, -0.79792614275302409024, 0.8791278957566339919),
  (0.0, -0.69314718055994530942, 0.79788456080286535588),
  (0.125, -0.59831306891242499386, 0.72004759550252538296),
  (1.0, -0.17275377902344988953, 0.28759997093917836123),
  (3.0, -0.0013508099647481937988, 0.0044378390421256637933),
  (6.0, -9.8658764552437573169e-10, 6.0758828558176764452e-9),
  (10.0, -7.619853024160526066e-24, 7.6945986267064193463e-23),
]

@Suite struct NormalTailTests {
  // Seen to fail: −½ ln 2π lost in the tail; 8 terms of the fraction instead of 80.
  @Test(arguments: reference)
  func agreesWithHighPrecision(_ x: Double, _ value: Double, _ slope: Double) {
    #expect(abs(logNormalCDF(x) - value) <= 1e-13 * abs(value))
    #expect(abs(inverseMillsRatio(x) - slope) <= 1e-12 * slope)
  }

  /// Against the asymptotic series h(−a) = a + 1/a − 2/a³ + …: the variance beyond a is
  /// 1/a² − 6/a⁴ + 50/a⁶ − ….
  @Test func truncatedVarianceDoesNotCancel() {
    for a in [100.0, 1e4, 1e6] {
      let moments = lowerTruncatedMoments(-a)
      let q = 1 / (a * a)
      #expect(abs(moments.variance / (q * (1 - 6 * q + 50 * q * q)) - 1) < 1e-9)
      #expect(abs(moments.mean + a + 1 / a) < 3 / (a * a * a) + 1e-15 * a)
    }
    // Both sides of the switch at −5.
    let (above, below) = (lowerTruncatedMoments(-5 + 1e-9), lowerTruncatedMoments(-5 - 1e-9))
    #expect(abs(above.variance - below.variance) < 1e-10)
    #expect(abs(lowerTruncatedMoments(9).variance - 1) < 1e-15)
  }
}
