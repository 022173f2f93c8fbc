/// SHA-256 digests (FIPS 180-4, sections 4.1.2, 4.2.2, 5.3.3, 6.2).
package struct SHA256 {
  /// The hash value H and the unfinished block.
  private var state: [UInt32]
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0

  package init() { state = Self.roots.map { $0.square } }

  /// The digest of a file's bytes as 64 lower-case hexadecimal digits; limit 4 GiB.
  package static func hexDigest(ofFile path: String) throws(ImageFileError) -> String {
    hexDigest(of: try InputFile.read(path: path, limit: 1 << 32))
  }

  package static func hexDigest(of bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes[...])
    let digits = Array("0123456789abcdef")
    return String(hash.finish().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  package mutating func update(_ bytes: ArraySlice<UInt8>) {
    byteCount += UInt64(bytes.count)
    var rest = bytes
    if !pending.isEmpty {
      let taken = rest.prefix(64 - pending.count)
      pending += taken
      rest = rest.dropFirst(taken.count)
      guard pending.count == 64 else { return }
      compress(pending[...])
      pending = []
    }
    let whole = rest.count / 64 * 64
    compress(rest.prefix(whole))
    pending = Array(rest.dropFirst(whole))
  }

  /// The 32 bytes of the digest.
  package mutating func finish() -> [UInt8] {
    let bits = byteCount &* 8
    let zeros = (119 - Int(byteCount % 64)) % 64
    let length = (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
    update([0x80] + [UInt8](repeating: 0, count: zeros) + length)
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }

  /// Equation 6.2.2 for each block of 64 bytes of `blocks`.
  private mutating func compress(_ blocks: ArraySlice<UInt8>) {
    // All pointers live for these closures only; the words are written before they are read.
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
      blocks.withUnsafeBytes { bytes in
        Self.constants.withUnsafeBufferPointer { constants in
          for start in stride(from: 0, to: bytes.count, by: 64) {
            for t in 0..<16 {
              words[t] = UInt32(
                bigEndian: bytes.loadUnaligned(fromByteOffset: start &+ 4 &* t, as: UInt32.self))
            }
            compress(words.baseAddress!, constants.baseAddress!)
          }
        }
      }
    }
  }

  /// One block: w_0 … w_15 are in `w`, which has room for 64.
  private mutating func compress(_ w: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>) {
    for t in 16..<64 {
      let s0 = rotate(w[t &- 15], 7) ^ rotate(w[t &- 15], 18) ^ (w[t &- 15] &>> 3)
      let s1 = rotate(w[t &- 2], 17) ^ rotate(w[t &- 2], 19) ^ (w[t &- 2] &>> 10)
      w[t] = s1 &+ w[t &- 7] &+ s0 &+ w[t &- 16]
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ k[t] &+ w[t]
      let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
  }

  private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (K, 4.2.2).
  private static let constants: [UInt32] = roots(64).map { $0.cube }
  /// The same of the square roots of the first 8 primes (the initial H, 5.3.3).
  private static let roots = roots(8)

  /// Fractional bits of √p and ∛p for the first `count` primes, by exact integer bisection:
  /// ⌊p^(1/k)·2³²⌋ is the largest r with r^k ≤ p·2^(32k).
  private static func roots(_ count: Int) -> [(square: UInt32, cube: UInt32)] {
    var primes: [Int] = []
    var candidate = 2
    while primes.count < count {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { (fraction(of: $0, root: 2), fraction(of: $0, root: 3)) }
  }

  private static func fraction(of prime: Int, root: Int) -> UInt32 {
    let target = UInt128(prime) << UInt128(32 * root)
    var low: UInt128 = 0
    var high: UInt128 = 1 << 37
    while high - low > 1 {
      let middle = (low + high) / 2
      let power = root == 2 ? middle * middle : middle * middle * middle
      if power <= target { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }
}
