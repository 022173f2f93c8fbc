/// The counter-based generator Philox4x32-10: a bijection of a 128-bit counter under a 64-bit key,
/// ten rounds of multiply and exchange.
///
/// Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
/// the known-answer vectors of its authors' library are in the tests.
package enum Philox {
  /// Round multipliers and Weyl key increments of the source.
  private static let multiplier0: UInt32 = 0xD251_1F53
  private static let multiplier1: UInt32 = 0xCD9E_8D57
  private static let weyl0: UInt32 = 0x9E37_79B9
  private static let weyl1: UInt32 = 0xBB67_AE85

  package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let product0 = multiplier0.multipliedFullWidth(by: c[0])
      let product1 = multiplier1.multipliedFullWidth(by: c[2])
      c = SIMD4(
        product1.high ^ c[1] ^ k[0], product1.low, product0.high ^ c[3] ^ k[1], product0.low)
      k[0] &+= weyl0
      k[1] &+= weyl1
    }
    return c
  }

  /// The block of (`low`, `high`) under `key` as two 64-bit words.
  package static func block(low: UInt64, high: UInt64, key: UInt64) -> (UInt64, UInt64) {
    let output = block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32),
        UInt32(truncatingIfNeeded: high), UInt32(truncatingIfNeeded: high >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)))
    return (
      UInt64(output[0]) | UInt64(output[1]) << 32, UInt64(output[2]) | UInt64(output[3]) << 32
    )
  }
}
