import Foundation
import Numerics
import Randomness

/// A trajectory of a given number of leapfrog steps and the Metropolis acceptance of its end: the
/// transition of every Hamiltonian kernel without a tree. Owns its scratch memory.
/// Source: Neal, "MCMC using Hamiltonian dynamics", 2011, section 3.2.
final class HamiltonianPath {
  /// The other end of the latest path: the proposal where it was rejected, the start where it was
  /// accepted. Its momentum is the proposal's in both cases.
  let other: PhasePoint
  private(set) var isAccepted = false
  private var startEnergy = 0.0

  init(dimension: Int) { other = PhasePoint(dimension: dimension) }

  /// Sets out from `state` with a new momentum.
  func begin(_ state: ChainState, leapfrog: Leapfrog, stream: inout RandomStream) {
    other.state.copy(from: state)
    leapfrog.refresh(other, from: &stream)
    startEnergy = other.energy
  }

  /// Goes `steps` steps and moves `state` there when `uniform` is below the acceptance.
  func follow(
    _ state: ChainState, leapfrog: Leapfrog, steps: Int, uniform: Double,
    divergenceThreshold: Double, lane: Lane
  ) async -> TransitionRecord {
    isAccepted = false
    for step in 1...steps {
      await leapfrog.step(other, forward: true, lane: lane)
      // A point of density zero ends the path, a rejection. The reverse path meets the same point, so
      // the target stays exactly invariant; stopping at a finite threshold would not be reversible.
      guard other.energy.isFinite else {
        return TransitionRecord(
          acceptance: 0, steps: step, depth: 0, energy: startEnergy, end: .divergence)
      }
    }
    let energy = other.energy
    let acceptance = min(1, exp(startEnergy - energy))
    isAccepted = uniform < acceptance
    if isAccepted { state.exchange(with: other.state) }
    return TransitionRecord(
      acceptance: acceptance, steps: steps, depth: 0, energy: isAccepted ? energy : startEnergy,
      end: energy - startEnergy <= divergenceThreshold ? .lengthReached : .divergence)
  }
}
