import Foundation

/// Numbers on a line of pixels: pixel = start + (x − low)/(high − low) · (end − start).
struct PlotAxis {
  let low: Double
  let high: Double
  let start: Double
  let end: Double

  /// An axis of no length is widened; what is not finite is left out.
  init(of values: some Sequence<Double>, start: Double, end: Double) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    if low > high { (low, high) = (0, 1) }
    if low == high {
      let room = max(abs(low), 1) * 0.5
      (low, high) = (low - room, high + room)
    }
    self.init(low, high, start: start, end: end)
  }

  /// - Precondition: finite, `low` < `high`.
  init(_ low: Double, _ high: Double, start: Double, end: Double) {
    precondition(low.isFinite && high.isFinite && low < high)
    (self.low, self.high, self.start, self.end) = (low, high, start, end)
  }

  /// Values beyond the ends fall on them.
  func pixel(_ value: Double) -> Double {
    start + (min(max(value, low), high) - low) / (high - low) * (end - start)
  }

  /// Multiples of 1, 2 or 5 · 10ⁿ, about `count` of them.
  func ticks(_ count: Int) -> [(value: Double, label: String)] {
    let rough = (high - low) / Double(count)
    let exponent = log10(rough).rounded(.down)
    let power = pow(10, exponent)
    let step = power * ([1, 2, 5].first { $0 * power >= rough } ?? 10)
    let first = (low / step).rounded(.up)
    let last = (high / step).rounded(.down)
    guard first <= last, last - first < 100 else { return [] }
    let decimals = max(0, -Int(log10(step).rounded(.down)))
    return stride(from: first, through: last, by: 1).map {
      // No minus before a zero.
      let value = $0 * step + 0
      return (value, String(format: "%.\(min(decimals, 9))f", value))
    }
  }
}

/// Tenths of a pixel are as fine as an eye sees.
func pixels(_ value: Double) -> String { String(format: "%.1f", value) }
