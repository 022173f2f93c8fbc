import Tensors
import Testing

@Suite struct AccurateSumTests {
  /// Seen to fail: single-precision accumulation, which stays at 2²⁴.
  @Test("Float32 values are accumulated in double precision")
  func floats() {
    let values = [Float(1 << 24)] + [Float](repeating: 1, count: 1000)
    #expect(accurateSum(values) == Double(1 << 24) + 1000)
    #expect(accurateSum([Float]()) == 0)
    #expect(accurateSum([Float](repeating: 0.1, count: 1 << 20)) == Double(Float(0.1)) * 0x1p20)
  }

  /// Seen to fail: the compensation dropped; the comparison of magnitudes dropped (Kahan's, which
  /// loses the small terms before a large one).
  @Test("Neumaier's compensation keeps what cancellation would lose")
  func doubles() {
    #expect(accurateSum([1.0, 1e100, 1, -1e100]) == 2)
    #expect(accurateSum([1e16, 1.0, -1e16]) == 1)
    #expect(accurateSum([1.0, 1e16, -1e16]) == 1)
    #expect(accurateSum([Double]()) == 0)
  }

  @Test("a sum whose exact value is known is met to half an ulp")
  func exactSum() {
    // Tenths rounded to double: their exact sum is n·(0.1 + δ), and n a power of two keeps it exact.
    let values = [Double](repeating: 0.1, count: 1 << 20)
    #expect(accurateSum(values) == 0.1 * 0x1p20)
    // 1 + 2⁻⁵³·n, with each addend below half an ulp of the sum.
    let small = [1.0] + [Double](repeating: 0x1p-53, count: 1 << 10)
    #expect(accurateSum(small) == 1 + 0x1p-43)
  }
}
