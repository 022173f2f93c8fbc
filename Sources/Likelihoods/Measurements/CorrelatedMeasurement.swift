import Maps
import Noise
import Operators
import Randomness

// Notation
//   A    forward operator on the observed data, D×P     Σ  residual covariance, P×P
//   C    A Σ Aᵀ + σ²N₀ + diag r, D×D: the covariance of the data given the mean image g
//
//   ln p(y | g) = ln N(y − A g; 0, C)

/// A measurement whose data stay as they are, correlated, at a known level: any number of them, C⁻¹ being
/// applied by a `SumNoise`. Where C can be factorized, `DiagonalizedMeasurement` makes evaluations
/// much quicker, and lets the levels be inferred.
public struct CorrelatedMeasurement: Sendable {
  public let measurement: GaussianMeasurement
  /// σ, part of C.
  public let sigma: Double
  /// C.
  public let noise: SumNoise
  /// A, from pictures to the observed data in their order.
  package let instrument: any LinearOperator
  /// What ends the iterations.
  public let iteration: ConjugateGradients
  /// Var(ε | y, g), the same for all data and mean images.
  let residualVariances: ConditionalVariances
  /// D.
  public var count: Int { noise.dimension }

  /// - Parameter solver: how C⁻¹ is applied.
  /// - Throws: `unusable` when channels have noise in common, the covariance is singular, or the iterations
  ///   do not reach their tolerance on a draw of the data; whatever `SumNoise` throws.
  /// - Precondition: σ is not negative.
  public init(
    _ measurement: GaussianMeasurement, sigma: Double, solver: NoiseSolver = .automatic,
    iteration: ConjugateGradients = ConjugateGradients()
  ) throws(PlanError) {
    precondition(sigma >= 0)
    self.measurement = measurement
    self.sigma = sigma
    self.iteration = iteration
    residualVariances = ConditionalVariances()
    instrument = try Self.instrument(measurement)
    noise = try SumNoise(
      Self.parts(measurement, sigma: sigma, instrument: instrument), solver: solver,
      iteration: iteration)
    try checkConvergence()
  }

  /// The observed elements of `data` (the operator's codomain).
  /// - Precondition: one value for each element of the codomain.
  package func observed<Value>(_ data: [Value]) -> [Value] {
    precondition(data.count == measurement.observed.count)
    return measurement.observedIndices.map { data[$0] }
  }

  /// The operator and what leaves the unobserved out, as few steps as possible: a residual seen by a mask
  /// alone is exact in `SumNoise`.
  private static func instrument(
    _ measurement: GaussianMeasurement
  ) throws(PlanError) -> any LinearOperator {
    let map = measurement.forwardOperator
    guard measurement.observed.contains(false) else { return map }
    let mask = MaskOperator(shape: map.codomain, observed: measurement.observed)
    return map is IdentityOperator ? mask : try ComposedOperator([map, mask])
  }

  private static func parts(
    _ measurement: GaussianMeasurement, sigma: Double, instrument: any LinearOperator
  ) throws(PlanError) -> [NoisePart] {
    guard measurement.noise.channelCovariance == nil else {
      throw .unusable(
        "noise that channels have in common is only known to the dense solver: leave "
          + "channel-covariance out, or solve fewer data")
    }
    let shape = measurement.forwardOperator.codomain
    var variances = measurement.observedIndices.map { Double(measurement.fixedVariances[$0]) }
    var parts: [NoisePart] = []
    switch measurement.noise.spatial {
    case .white: for index in variances.indices { variances[index] += sigma * sigma }
    case .stationary(let spectrum) where sigma > 0:
      parts.append(
        .stationary(
          try MaskedSpectrum(
            embedding: spectrum.scaled(toVariance: sigma * sigma * spectrum.variance),
            height: shape[1], width: shape[2], channels: shape[0],
            observed: measurement.observed)))
    case .stationary: break
    }
    parts.append(.independent(variances))
    if measurement.residual.marginalVariances.contains(where: { $0 > 0 }) {
      parts.append(.residual(measurement.residual, through: instrument))
    }
    return parts
  }

  /// The iterations an evaluation takes hardly depend on the residual: one draw tells for all.
  private func checkConvergence() throws(PlanError) {
    guard let plan = try noise.makePlan(lanes: 1) as? ConjugateGradientPlan else { return }
    var stream = iteration.key.child("trial").stream()
    var draw = [Double](repeating: 0, count: count)
    var drawSpan = draw.mutableSpan
    plan.draw(&stream, into: &drawSpan)
    var (values, pulls) = ([0.0], draw)
    var valueSpan = values.mutableSpan
    var pullSpan = pulls.mutableSpan
    plan.evaluate(draw.span, logDensities: &valueSpan, gradients: &pullSpan)
    guard plan.relativeResidual <= iteration.tolerance else {
      throw .unusable(
        "\(plan.iterations) iterations of conjugate gradients leave \(plan.relativeResidual) of the "
          + "residual, more than \(iteration.tolerance): the noise is nearly singular; add "
          + "independent noise, such as a sigma map, or a knee to the spectrum")
    }
  }
}
