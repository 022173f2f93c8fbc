import Foundation
import Numerics

/// A step length along a direction of ascent of a log density, found with the strong Wolfe conditions.
///
/// With φ(α) = −log π(x + α d): φ(α) ≤ φ(0) + c₁ α φ'(0) and |φ'(α)| ≤ c₂ |φ'(0)|. Brackets are
/// shrunk by safeguarded cubic interpolation.
/// Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, eq. 3.59.
/// Departure: where φ(α) − φ(0) is below the noise of the values, slopes decide (the approximate Wolfe
/// conditions of Hager and Zhang 2005, eq. 4.1); single-precision densities need it near a mode. A
/// point of density zero is a step too long.
struct WolfeLineSearch {
  /// c₁ and c₂, the source's values for quasi-Newton methods.
  static let sufficientDecrease = 1e-4
  static let curvature = 0.9
  static let maximumTrials = 30

  /// Errors of φ below `valueNoise` · max(1, |φ(0)|) are rounding.
  let valueNoise: Double

  /// A trial on the line.
  private struct Trial {
    var length: Double
    var value: Double
    var slope: Double
  }

  /// Moves `state` from `origin` along `direction`, trying `firstLength` first. True when the
  /// conditions hold where it ends; otherwise it may end anywhere and the caller goes back.
  func search(
    from origin: ChainState, along direction: [Double], firstLength: Double, state: ChainState,
    lane: Lane
  ) async -> Bool {
    let start = Trial(
      length: 0, value: -origin.logDensity, slope: -dot(origin.gradient, direction))
    guard start.slope < 0 else { return false }
    var low = start
    var high: Trial?
    var length = firstLength
    for _ in 0..<Self.maximumTrials {
      copy(origin.position, into: &state.position)
      addScaled(length, direction, to: &state.position)
      await lane.evaluate(state)
      let trial = Trial(
        length: length, value: -state.logDensity, slope: -dot(state.gradient, direction))
      if !trial.value.isFinite || !decreases(trial, start) || isAbove(trial, low, start) {
        high = trial
      } else if abs(trial.slope) <= -Self.curvature * start.slope {
        return true
      } else {
        if let far = high, trial.slope * (far.length - low.length) >= 0 { high = low }
        if high == nil, trial.slope >= 0 { high = low }
        low = trial
      }
      length = next(low, high)
      guard length > 0, length.isFinite else { return false }
    }
    return false
  }

  private func noise(_ start: Trial) -> Double { valueNoise * max(1, abs(start.value)) }

  private func decreases(_ trial: Trial, _ start: Trial) -> Bool {
    let c1 = Self.sufficientDecrease
    return trial.value <= start.value + c1 * trial.length * start.slope
      || (trial.value <= start.value + noise(start)
        && trial.slope <= (2 * c1 - 1) * start.slope)
  }

  private func isAbove(_ trial: Trial, _ low: Trial, _ start: Trial) -> Bool {
    low.length > 0 && trial.value >= low.value + noise(start)
  }

  /// Four times as far without a bracket; otherwise the minimum of the cubic through both ends, kept
  /// a tenth of the bracket away from them.
  private func next(_ low: Trial, _ high: Trial?) -> Double {
    guard let high else { return 4 * low.length }
    let width = high.length - low.length
    var share = 0.5
    if high.value.isFinite {
      let d1 = low.slope + high.slope - 3 * (high.value - low.value) / width
      let radicand = d1 * d1 - low.slope * high.slope
      if radicand >= 0 {
        let d2 = (width < 0 ? -1.0 : 1.0) * radicand.squareRoot()
        let minimum =
          high.length - width * (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2)
        let interpolated = (minimum - low.length) / width
        if interpolated.isFinite { share = min(max(interpolated, 0.1), 0.9) }
      }
    } else {
      share = 0.1
    }
    return low.length + share * width
  }
}
