import Numerics
import Randomness
import Tensors

extension RandomStream {
  /// Standard normal numbers in single precision, by Box and Muller sixteen pairs at a time:
  ///
  ///     r = √(−2 ln u),  (r cos 2πt, r sin 2πt),  u midpoints of 2²³ cells of (0, 1), t of [−½, ½)
  ///
  /// so that none is beyond 5.8; cos 2πt = 1 − 2 sin² πt and sin 2πt = 2 sin πt cos πt with Taylor's series,
  /// whose first missing term is below 6e-8 for |πt| ≤ π/2.
  mutating func fillNormals(_ output: UnsafeMutablePointer<Float>, count: Int) {
    var place = 0
    while place < count {
      let (first, second) = normalVectors()
      if place + 32 <= count {
        store(first, output + place)
        store(second, output + place + 16)
      } else {
        storePartial(first, output + place, min(16, count - place))
        if count - place > 16 { storePartial(second, output + place + 16, count - place - 16) }
      }
      place += 32
    }
  }

  private mutating func normalVectors() -> (Vector, Vector) {
    var words = (SIMD16<UInt32>(), SIMD16<UInt32>())
    withUnsafeMutableBytes(of: &words) { bytes in
      for place in stride(from: 0, to: 128, by: 8) {
        bytes.storeBytes(of: next(), toByteOffset: place, as: UInt64.self)
      }
    }
    // A mantissa of 23 random bits under the exponent of [1, 2).
    let one = SIMD16<UInt32>(repeating: 0x3F80_0000)
    let shift = SIMD16<UInt32>(repeating: 9)
    let u = unsafeBitCast((words.0 &>> shift) | one, to: Vector.self) - all(1 - 0x1p-24)
    let x = (unsafeBitCast((words.1 &>> shift) | one, to: Vector.self) - all(1.5)) * all(.pi)
    let square = x * x
    var sine = multiplyAdd(square, all(-2.505_210_8e-8), all(2.755_731_9e-6))
    sine = multiplyAdd(sine, square, all(-1.984_127e-4))
    sine = multiplyAdd(sine, square, all(8.333_333e-3))
    sine = multiplyAdd(sine, square, all(-0.166_666_67))
    sine = multiplyAdd(sine * square, x, x)
    var cosine = multiplyAdd(square, all(2.087_675_7e-9), all(-2.755_731_9e-7))
    cosine = multiplyAdd(cosine, square, all(2.480_158_7e-5))
    cosine = multiplyAdd(cosine, square, all(-1.388_888_9e-3))
    cosine = multiplyAdd(cosine, square, all(4.166_666_7e-2))
    cosine = multiplyAdd(cosine, square, all(-0.5))
    cosine = multiplyAdd(cosine, square, all(1))
    let radius = squareRoot(all(-2) * logarithm(u))
    let twice = radius * all(2) * sine
    return (radius - twice * sine, twice * cosine)
  }
}
