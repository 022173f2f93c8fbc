import Testing

@testable import Numerics

@Suite struct DistributionsTests {
  // scipy.stats.chi2.cdf(x, n) of SciPy 1.17.1; sf for the upper tail. Fails when: the series or the
  // continued fraction stops early, lgamma's argument is off by one, or n is not halved.
  @Test(
    "P(χ²_n ≤ x) agrees with SciPy",
    arguments: [
      (0.004, 1, 0.050_429_028_848_894_94), (1, 1, 0.682_689_492_137_085_9),
      (3.841_458_820_694_124, 1, 0.95), (30, 1, 0.999_999_956_795_369_5),
      (1e-6, 2, 4.999_998_750_000_208e-7), (5, 2, 0.917_915_001_376_101_2),
      (2.7, 5, 0.253_881_562_531_622_6), (11.07, 5, 0.949_990_381_377_594_6),
      (60, 5, 0.999_999_999_987_845_4), (7, 10, 0.274_555_046_690_395_7),
      (10, 10, 0.559_506_714_934_787_9), (25, 10, 0.994_654_494_512_865_9),
      (50, 64, 0.100_067_917_032_724_2), (64, 64, 0.523_511_694_523_741_4),
      (100, 64, 0.997_313_717_105_345), (600, 784, 2.178_031_384_156_658_3e-7),
      (783.3, 784, 0.499_662_984_623_195_86), (784, 784, 0.506_716_637_308_133_2),
      (850, 784, 0.949_380_127_357_993_5), (1000, 784, 0.999_999_764_895_679_3),
    ] as [(Double, Double, Double)])
  func chiSquare(_ x: Double, _ degrees: Double, _ exact: Double) {
    let found = chiSquareProbability(x, degrees: degrees)
    #expect(abs(found - exact) < 1e-12)
    // The lower tail keeps its digits, but for what lgamma(392) loses.
    #expect(abs(found - exact) < 1e-11 * exact)
  }

  // Fails when: 0 gives NaN, or rounding leaves [0, 1].
  @Test("the ends are 0 and 1, and the function rises")
  func ends() {
    for degrees in [1.0, 2, 3, 64, 784, 12_288] {
      #expect(chiSquareProbability(0, degrees: degrees) == 0)
      var last = 0.0
      for step in 1...400 {
        let value = chiSquareProbability(degrees * Double(step) / 100, degrees: degrees)
        #expect(value >= last - 1e-12 && value <= 1)
        last = value
      }
      #expect(abs(last - 1) < 0.05)
      #expect(chiSquareProbability(1e6 * degrees, degrees: degrees) == 1)
    }
  }
}
