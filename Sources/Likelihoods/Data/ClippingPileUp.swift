/// Whether the observed values pile up at an end of the range, as clipped noise does: at least four
/// of them and at least one in two hundred lie at or beyond `low`, or at or beyond `high`.
///
/// A picture stretched over its own range has one value at each end and does not count. A noise-free
/// picture with a black background does: taking its zeros as "0 or less" is still true, and costs
/// little, since means are never below zero. Where fewer values are clipped than this, treating them
/// as measured changes the answer by less than they weigh.
/// - Precondition: one flag for each value, or none at all for everything observed.
public func clippingPileUp(
  _ values: [Float], observed: [Bool]? = nil, low: Float = 0, high: Float = 1
) -> Bool {
  precondition(observed.map { $0.count == values.count } ?? true)
  var (count, atLow, atHigh) = (0, 0, 0)
  for (index, value) in values.enumerated() where observed?[index] ?? true {
    count += 1
    if value <= low { atLow += 1 }
    if value >= high { atHigh += 1 }
  }
  return max(atLow, atHigh) >= max(4, (count + 199) / 200)
}
