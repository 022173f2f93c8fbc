import Foundation

/// The sequence of random numbers of one key: Philox blocks 0, 1, 2, …
public struct RandomStream: Sendable, RandomNumberGenerator {
  private let key: UInt64
  private let nonce: UInt64
  private var blockIndex: UInt64 = 0
  private var spareWord: UInt64?
  private var spareNormal: Double?

  init(_ key: RandomKey) {
    self.key = key.key
    nonce = key.nonce
  }

  /// 64 uniform bits.
  public mutating func next() -> UInt64 {
    if let word = spareWord {
      spareWord = nil
      return word
    }
    let (first, second) = Philox.block(low: blockIndex, high: nonce, key: key)
    blockIndex &+= 1
    spareWord = second
    return first
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in (0, 1): the midpoints of 2⁵² equal cells, safe to take the logarithm of.
  public mutating func uniformOpen() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

  /// Standard normal by Box–Muller, in pairs.
  public mutating func normal() -> Double {
    if let value = spareNormal {
      spareNormal = nil
      return value
    }
    let radius = (-2 * log(uniformOpen())).squareRoot()
    let angle = 2 * Double.pi * uniform()
    spareNormal = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Uniform integer in 0..<count by Lemire's multiply-and-reject: exact, without modulo bias.
  /// - Precondition: `count` > 0.
  public mutating func index(below count: Int) -> Int {
    precondition(count > 0)
    return Int(next(upperBound: UInt64(count)))
  }

  /// A uniformly random order of 0..<count (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, index(below: last + 1))
    }
    return order
  }

  /// `count` independent standard normals.
  public mutating func normals(_ count: Int) -> [Double] { (0..<count).map { _ in normal() } }
}
