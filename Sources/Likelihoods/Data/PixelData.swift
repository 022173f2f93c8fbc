/// What one datum says about its mean.
public enum PixelKind: UInt8, Sendable {
  /// Nothing: the element is missing.
  case unobserved
  /// It was y.
  case measured
  /// It lies at the low end of the range: what fell there was y ≤ low.
  case belowLow
  /// It lies at the high end of the range: what fell there was y ≥ high.
  case aboveHigh
}

/// The data of one problem, D elements, white noise of a common level σ plus known variances:
/// y_i ~ N(m_i, σ² + r_i + α²s_i h(m_i) + ρ), censored at the ends of the range; h = 1 and ρ = 0 without a
/// law of intensities.
package struct PixelData: Sendable {
  /// y, D intensities; where `kinds` is not `measured` the value is not used.
  package let values: [Float]
  /// D kinds.
  package let kinds: [PixelKind]
  /// r_i ≥ 0, D variances that do not scale with anything: rounding (step²/12), and the square of a
  /// sigma map.
  package let extraVariances: [Float]
  /// s_i ≥ 0, D variances of the decoder's residual, which scale with α².
  package let residualVariances: [Float]
  /// h and ρ, where the residual's variances depend on what is painted; s_i are factors then.
  package let intensityVariance: IntensityVariance?
  /// Ends of the range, in intensity; used by the censored elements only.
  package let low: Float
  package let high: Float

  /// - Parameter residualVariances: nil for none.
  /// - Precondition: D values, kinds and variances; measured values finite; variances ≥ 0 and finite.
  package init(
    values: [Float], kinds: [PixelKind], extraVariances: [Float],
    residualVariances: [Float]? = nil, intensityVariance: IntensityVariance? = nil,
    low: Float = 0, high: Float = 1
  ) {
    let residual = residualVariances ?? [Float](repeating: 0, count: values.count)
    precondition(values.count == kinds.count && values.count == extraVariances.count)
    precondition(residual.count == values.count && residual.allSatisfy { $0 >= 0 && $0.isFinite })
    precondition(zip(values, kinds).allSatisfy { $1 != .measured || $0.isFinite })
    precondition(extraVariances.allSatisfy { $0 >= 0 && $0.isFinite })
    self.values = values
    self.kinds = kinds
    self.extraVariances = extraVariances
    self.residualVariances = residual
    self.intensityVariance = intensityVariance
    self.low = low
    self.high = high
  }

  /// Measured values whose variances are another's business: their covariance is known as a whole.
  package init(measured values: [Float]) {
    self.init(
      values: values, kinds: [PixelKind](repeating: .measured, count: values.count),
      extraVariances: [Float](repeating: 0, count: values.count))
  }

  package var count: Int { values.count }

  /// v_i at the mean m.
  package func variance(_ index: Int, mean: Float, _ levels: NoiseLevels) -> Double {
    levels.sigma * levels.sigma + Double(extraVariances[index])
      + residualVariance(index, mean: mean, levels)
  }

  /// α²s_i h(m) + ρ, the variance of ε_i.
  package func residualVariance(_ index: Int, mean: Float, _ levels: NoiseLevels) -> Double {
    scaledVariance(index, mean: mean, levels) + Double(intensityVariance?.rounding ?? 0)
  }

  /// α²s_i h(m), what of it scales with α².
  package func scaledVariance(_ index: Int, mean: Float, _ levels: NoiseLevels) -> Double {
    levels.residualScale * levels.residualScale * Double(residualVariances[index])
      * Double(intensityVariance?.evaluate(mean).value ?? 1)
  }

  /// `unobserved` where the mask says so; else, when `censored`, the ends of the range where the value
  /// is at or beyond them; else measured.
  /// - Precondition: one flag for each value, or none at all for everything observed.
  package static func kinds(
    of values: [Float], observed: [Bool]? = nil, censored: Bool, low: Float = 0, high: Float = 1
  ) -> [PixelKind] {
    precondition(observed.map { $0.count == values.count } ?? true)
    return values.indices.map { index in
      if let observed, !observed[index] { return .unobserved }
      guard censored else { return .measured }
      if values[index] <= low { return .belowLow }
      return values[index] >= high ? .aboveHigh : .measured
    }
  }
}
