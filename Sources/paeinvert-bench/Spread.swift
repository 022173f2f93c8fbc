import Foundation
import ImageFiles

/// Median, smallest and largest of repeated measurements of one quantity, in its unit; all NaN when
/// one of the measurements is.
struct Spread: Equatable {
  let median: Double
  let minimum: Double
  let maximum: Double

  /// - Precondition: at least one value.
  init(_ values: [Double]) {
    precondition(!values.isEmpty, "nothing was measured")
    let sorted =
      values.contains(where: \.isNaN) ? values.map { _ in .nan } : values.sorted()
    let middle = sorted.count / 2
    median =
      sorted.count % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle])
    minimum = sorted[0]
    maximum = sorted[sorted.count - 1]
  }

  /// The spread of a quantity that is proportional to this one, or inversely so: `transform` is
  /// monotonic.
  func map(_ transform: (Double) -> Double) -> Spread {
    Spread([minimum, median, maximum].map(transform))
  }

  /// `key`: the median; `key`_range: [smallest, largest].
  func members(_ key: String) -> [(key: String, value: JSONText)] {
    [
      (key, .number(median)),
      (key + "_range", .array([.number(minimum), .number(maximum)])),
    ]
  }

  /// "median (smallest to largest)", or the median alone where they read the same.
  var text: String {
    let (low, high) = (Self.text(minimum), Self.text(maximum))
    return low == high ? Self.text(median) : "\(Self.text(median)) (\(low) to \(high))"
  }

  /// About three significant digits.
  static func text(_ value: Double) -> String {
    switch abs(value) {
    case let size where size.isNaN: "unknown"
    case 100...: String(format: "%.0f", value)
    case 10..<100: String(format: "%.1f", value)
    case 1..<10: String(format: "%.2f", value)
    default: String(format: "%.3g", value)
    }
  }
}
