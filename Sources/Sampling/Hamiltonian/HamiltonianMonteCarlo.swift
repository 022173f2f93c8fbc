import Randomness

/// Hamiltonian Monte Carlo with a jittered path length and Metropolis acceptance of the endpoint.
///
/// The number of steps is max(1, round(τ u / ε)), u uniform in [1 − jitter, 1 + jitter]: the jitter
/// breaks the resonances that a fixed length has on near-Gaussian targets.
/// Source: Neal, "MCMC using Hamiltonian dynamics", 2011, sections 3.2 and 4.2.
public struct HamiltonianMonteCarlo: MarkovKernel {
  /// τ, in units of time in which the metric's unit Gaussian has period 2π.
  public let trajectoryLength: Double
  public let jitter: Double
  /// No trajectory is longer than this, however small the step size becomes.
  public let maximumSteps: Int
  /// Energy error, in nats, above which a trajectory counts as divergent.
  public let divergenceThreshold: Double

  /// - Precondition: lengths and threshold above zero, 0 ≤ `jitter` < 1.
  public init(
    trajectoryLength: Double = .pi / 2, jitter: Double = 0.5, maximumSteps: Int = 1023,
    divergenceThreshold: Double = 1000
  ) {
    precondition(trajectoryLength > 0 && trajectoryLength.isFinite, "a length is above zero")
    precondition((0..<1).contains(jitter), "the jitter must be in 0..<1")
    precondition(maximumSteps >= 1 && divergenceThreshold > 0)
    self.trajectoryLength = trajectoryLength
    self.jitter = jitter
    self.maximumSteps = maximumSteps
    self.divergenceThreshold = divergenceThreshold
  }

  package func makeTransition(dimension: Int) -> any MarkovTransition {
    HamiltonianTransition(self, dimension: dimension)
  }
}

private final class HamiltonianTransition: MarkovTransition {
  private let settings: HamiltonianMonteCarlo
  private let path: HamiltonianPath

  init(_ settings: HamiltonianMonteCarlo, dimension: Int) {
    self.settings = settings
    path = HamiltonianPath(dimension: dimension)
  }

  func step(
    _ state: ChainState, leapfrog: Leapfrog, lane: Lane, stream: inout RandomStream
  ) async -> TransitionRecord {
    path.begin(state, leapfrog: leapfrog, stream: &stream)
    let factor = 1 + settings.jitter * (2 * stream.uniform() - 1)
    let planned = (settings.trajectoryLength * factor / leapfrog.stepSize).rounded()
    let count = Int(min(max(planned, 1), Double(settings.maximumSteps)))
    return await path.follow(
      state, leapfrog: leapfrog, steps: count, uniform: stream.uniform(),
      divergenceThreshold: settings.divergenceThreshold, lane: lane)
  }
}
