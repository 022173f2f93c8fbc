import Foundation

/// How numbers of a file map to the model's intensities: v ↦ (v − low)/(high − low).
public struct DataRange: Sendable, Equatable {
  /// What stands for black and for white, in data units.
  public let low: Double
  public let high: Double

  /// Data that are intensities already.
  public static let unit = DataRange(low: 0, high: 1)

  /// - Precondition: finite, low < high.
  public init(low: Double, high: Double) {
    precondition(low < high && (high - low).isFinite, "\(low) to \(high) is no range")
    (self.low, self.high) = (low, high)
  }

  package var width: Double { high - low }

  package func intensity(_ value: Double) -> Float { Float((value - low) / width) }

  /// Data units.
  func value(_ intensity: Float) -> Float { Float(low + Double(intensity) * width) }

  /// What `--range` asks for.
  public enum Choice: Sendable, Equatable {
    /// From the data (`DataRange.init(suggestedBy:largest:)`).
    case automatic
    case limits(DataRange)

    /// "auto" or "LO,HI".
    public init?(_ text: String) {
      if text == "auto" {
        self = .automatic
        return
      }
      let words = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
      guard words.count == 2, let low = words[0], let high = words[1], low < high,
        (high - low).isFinite, Float(1 / (high - low)).isFinite
      else { return nil }
      self = .limits(DataRange(low: low, high: high))
    }

    public var text: String {
      switch self {
      case .automatic: "auto"
      case .limits(let range): "\(range.low),\(range.high)"
      }
    }
  }

  /// For integers black is 0 (their smallest one where that is negative) and white the smallest 2ᵇ − 1 that
  /// is not exceeded; for other numbers the percentiles 0.5 and 99.5.
  /// - Parameter largest: of an integer type; nil for other numbers.
  /// - Returns: nil where no two finite values differ.
  init?(suggestedBy values: [Double], largest: Double?) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last, first < last else { return nil }
    if largest != nil {
      var white = 1.0
      while white < last { white = 2 * white + 1 }
      self.init(low: min(first, 0), high: max(white, min(first, 0) + 1))
      return
    }
    let margin = (sorted.count - 1) / 200
    let (low, high) = (sorted[margin], sorted[sorted.count - 1 - margin])
    if low < high { self.init(low: low, high: high) } else { self.init(low: first, high: last) }
  }
}
