/// A log density whose data can be let in gradually.
public protocol TemperedLogDensity: LogDensity {
  /// prior + β · likelihood, of the same dimension and problems; β = 1 is the density itself.
  /// - Precondition: 0 ≤ `inverseTemperature` ≤ 1.
  func tempered(_ inverseTemperature: Double) -> any LogDensity
}
