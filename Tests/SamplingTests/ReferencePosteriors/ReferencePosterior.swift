import Probability
import Testing

/// A posterior whose means are known, and how they are known.
struct ReferencePosterior: Sendable, CustomTestStringConvertible {
  let name: String
  /// Log density of the unconstrained position, the Jacobians of its transformations included.
  let density: FunctionTarget
  let start: [Double]
  /// The reference's parameters from a position.
  let quantities: @Sendable ([Double]) -> [Double]
  let references: [Reference]
  /// Acceptance that every sampler is to aim at here; nil for its own.
  var acceptance: Double?
  /// Of each of eight chains: some 5,000 effective ones make a standard error of 0.014 deviations.
  var draws = 1200

  var testDescription: String { name }

  /// A published or exact mean.
  struct Reference: Sendable {
    let name: String
    let mean: Double
    /// Its Monte Carlo standard error, 0 where the mean is exact.
    let standardError: Double
    /// The posterior's standard deviation.
    let deviation: Double

    init(_ name: String, _ mean: Double, error: Double = 0, deviation: Double) {
      self.name = name
      self.mean = mean
      standardError = error
      self.deviation = deviation
    }
  }

  static let all: [ReferencePosterior] = [
    .eightSchools, .kidScore, .autoregression, .gaussianMixture, .funnel, .banana,
  ]
}

/// The numbers of a table in text.
func numbers(_ text: String) -> [Double] {
  text.split(whereSeparator: \.isWhitespace).map { Double($0)! }
}
