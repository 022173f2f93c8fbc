/// A place in a tree of independent random streams: a value, never a mutable generator. Use each key
/// once: either split it into children or draw from its stream.
///
///     let key = RandomKey(seed: 1)
///     var momenta = key.child("momentum").child(chain).child(iteration).stream()
public struct RandomKey: Hashable, Sendable {
  let key: UInt64
  let nonce: UInt64

  /// Domain separators, so that a named child, a numbered child and the stream never share a block.
  private static let nameDomain: UInt64 = 0x6E61_6D65_0000_0001
  private static let indexDomain: UInt64 = 0x696E_6465_7800_0002

  private init(key: UInt64, nonce: UInt64) {
    self.key = key
    self.nonce = nonce
  }

  /// The root of the tree for a 64-bit seed.
  public init(seed: UInt64) {
    (key, nonce) = Philox.block(low: seed, high: 0, key: 0x7061_6569_6E76_6572)
  }

  /// The child of that name; distinct names give independent children.
  public func child(_ name: StaticString) -> RandomKey {
    // FNV-1a, 64 bits: the usual offset basis and prime.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    name.withUTF8Buffer { bytes in
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
    return derived(hash, domain: Self.nameDomain)
  }

  /// The child of that number.
  public func child(_ index: Int) -> RandomKey {
    derived(UInt64(bitPattern: Int64(index)), domain: Self.indexDomain)
  }

  /// The numbers of this key, from the first.
  public func stream() -> RandomStream { RandomStream(self) }

  private func derived(_ label: UInt64, domain: UInt64) -> RandomKey {
    let (first, second) = Philox.block(low: label, high: nonce, key: key ^ domain)
    return RandomKey(key: first, nonce: second)
  }
}
