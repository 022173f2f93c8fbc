import Numerics

/// The data of one problem sorted for the vector loops: first the measured elements, then the
/// censored ones, each list filled up to whole blocks of 16; unobserved elements are left out.
///
/// Layout: block b holds sorted positions 16b ..< 16b+16; `targets` and `variances` lie in that order,
/// `indices[p]` is the element that position p came from. What fills a block has weight 0, target 0,
/// variance 1 and is never gathered or scattered.
struct PixelSegments: Sendable {
  static let width = Vector.scalarCount

  /// Element of each sorted position that carries a datum: measured ones, then censored ones.
  let measuredIndices: [Int32]
  let censoredIndices: [Int32]
  let measuredTargets: [Vector]
  /// r + ρ, and s that scales with α².
  let measuredVariances: [Vector]
  let measuredResiduals: [Vector]
  /// low or high.
  let censoredTargets: [Vector]
  let censoredVariances: [Vector]
  let censoredResiduals: [Vector]
  /// +1 where y ≤ low, −1 where y ≥ high: the log term is ln Φ(sign·(target − m)/√v).
  let censoredSigns: [Vector]
  /// h.
  let intensityVariance: IntensityVariance?

  init(_ data: PixelData) {
    let elements = data.kinds.indices
    let measured = elements.filter { data.kinds[$0] == .measured }
    let censored = elements.filter { data.kinds[$0] == .belowLow || data.kinds[$0] == .aboveHigh }
    measuredIndices = measured.map { Int32($0) }
    censoredIndices = censored.map { Int32($0) }
    measuredTargets = blocks(measured.map { data.values[$0] }, filler: 0)
    let rounding = data.intensityVariance?.rounding ?? 0
    measuredVariances = blocks(measured.map { data.extraVariances[$0] + rounding }, filler: 1)
    measuredResiduals = blocks(measured.map { data.residualVariances[$0] }, filler: 0)
    censoredResiduals = blocks(censored.map { data.residualVariances[$0] }, filler: 0)
    censoredTargets = blocks(
      censored.map { data.kinds[$0] == .belowLow ? data.low : data.high }, filler: 0)
    censoredVariances = blocks(censored.map { data.extraVariances[$0] + rounding }, filler: 1)
    intensityVariance = data.intensityVariance
    censoredSigns = blocks(censored.map { data.kinds[$0] == .belowLow ? 1 : -1 }, filler: 1)
  }
}

/// `values` in blocks of 16, the last one filled up.
private func blocks(_ values: [Float], filler: Float) -> [Vector] {
  stride(from: 0, to: values.count, by: Vector.scalarCount).map { start in
    var block = Vector(repeating: filler)
    for offset in 0..<min(Vector.scalarCount, values.count - start) {
      block[offset] = values[start + offset]
    }
    return block
  }
}

/// 1 in the first `count` lanes, 0 in the others; nil when the block is full.
@inline(__always)
func partialWeights(block: Int, count: Int) -> Vector? {
  let left = count - block * Vector.scalarCount
  if left >= Vector.scalarCount { return nil }
  var weights = Vector(repeating: 0)
  for lane in 0..<left { weights[lane] = 1 }
  return weights
}

/// A running sum of blocks in pairs of single-precision numbers (Knuth's exact two-sum), so that the
/// sum of a thousand terms keeps the accuracy of its terms.
struct BlockSum {
  private var sum = Vector(repeating: 0)
  private var error = Vector(repeating: 0)

  @inline(__always)
  mutating func add(_ term: Vector) {
    let next = sum + term
    let part = next - sum
    error += (sum - (next - part)) + (term - part)
    sum = next
  }

  /// Σ over the sixteen lanes, in double precision.
  var total: Double {
    var result = 0.0
    for lane in 0..<Vector.scalarCount { result += Double(sum[lane]) + Double(error[lane]) }
    return result
  }
}
