import Networks
import Randomness

/// Which hidden units of the conditioners are dropped in one training step: a key and a rate in
/// [0, 1). Kept units are scaled by 1/(1 − rate) (Srivastava et al. 2014).
struct DropoutMasks {
  let key: RandomKey
  let rate: Float

  /// Fills `mask` (a multiple of 4 numbers) with 0 or 1/(1 − rate), from four 16-bit uniforms of
  /// each word: the rate is met to 2⁻¹⁶.
  func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, layer: Int, stage: Int) {
    var stream = key.child(layer).child(stage).stream()
    let threshold = UInt64((rate * 65_536).rounded())
    let scale = 1 / (1 - rate)
    for start in stride(from: 0, to: count, by: 4) {
      let word = stream.next()
      for part in 0..<4 {
        mask[start + part] = (word >> UInt64(16 * part)) & 0xFFFF < threshold ? 0 : scale
      }
    }
  }
}
