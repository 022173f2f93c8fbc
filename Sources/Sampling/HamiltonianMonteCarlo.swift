import Foundation
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
  private let point: PhasePoint

  init(_ settings: HamiltonianMonteCarlo, dimension: Int) {
    self.settings = settings
    point = PhasePoint(dimension: dimension)
  }

  func step(
    _ state: ChainState, leapfrog: Leapfrog, lane: Lane, stream: inout RandomStream
  ) async -> TransitionRecord {
    point.state.copy(from: state)
    leapfrog.refresh(point, from: &stream)
    let startEnergy = point.energy
    let factor = 1 + settings.jitter * (2 * stream.uniform() - 1)
    let planned = (settings.trajectoryLength * factor / leapfrog.stepSize).rounded()
    let count = Int(min(max(planned, 1), Double(settings.maximumSteps)))
    let uniform = stream.uniform()
    for steps in 1...count {
      await leapfrog.step(point, forward: true, lane: lane)
      // A point of density zero ends the path, a rejection. The reverse path meets the same point, so
      // the target stays exactly invariant; stopping at a finite threshold would not be reversible.
      guard point.energy.isFinite else {
        return TransitionRecord(
          acceptance: 0, steps: steps, depth: 0, energy: startEnergy, end: .divergence)
      }
    }
    let energy = point.energy
    let acceptance = min(1, exp(startEnergy - energy))
    let accepted = uniform < acceptance
    if accepted { state.exchange(with: point.state) }
    return TransitionRecord(
      acceptance: acceptance, steps: count, depth: 0, energy: accepted ? energy : startEnergy,
      end: energy - startEnergy <= settings.divergenceThreshold ? .lengthReached : .divergence)
  }
}
