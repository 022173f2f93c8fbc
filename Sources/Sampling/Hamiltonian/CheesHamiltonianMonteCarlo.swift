import Foundation
import Randomness

/// Hamiltonian Monte Carlo whose trajectory length the chains of a problem tune together in warmup:
/// the one that changes the squared distance from the mean most (ChEES).
///
/// A path has t = h T of time, ⌈t/ε⌉ leapfrog steps; h in (0, 1) is the Halton sequence in base 2,
/// the same for all chains, so that all of them ask for as many gradients and none waits. Needs
/// several chains: with one, T stays at `trajectoryLength`. Its own step size target is
/// `recommendedAcceptance`, less than that of the No-U-Turn sampler.
/// Source: Hoffman, Radul and Sountsov, "An adaptive-MCMC scheme for setting trajectory lengths in
/// Hamiltonian Monte Carlo", AISTATS 2021.
public struct CheesHamiltonianMonteCarlo: MarkovKernel {
  /// The optimal acceptance of Hamiltonian Monte Carlo in many dimensions, the source's choice.
  /// Source: Beskos et al., "Optimal tuning of the hybrid Monte Carlo algorithm", 2013.
  public static let recommendedAcceptance = 0.651

  /// T before adaptation, in units of time in which the metric's unit Gaussian has period 2π. Its mean
  /// path, T/2, is a quarter of that by default.
  public let trajectoryLength: Double
  /// No trajectory is longer than this, however small the step size becomes.
  public let maximumSteps: Int
  /// Energy error, in nats, above which a trajectory counts as divergent.
  public let divergenceThreshold: Double

  /// - Precondition: lengths and threshold above zero.
  public init(
    trajectoryLength: Double = .pi, maximumSteps: Int = 1023, divergenceThreshold: Double = 1000
  ) {
    precondition(trajectoryLength > 0 && trajectoryLength.isFinite, "a length is above zero")
    precondition(maximumSteps >= 1 && divergenceThreshold > 0)
    self.trajectoryLength = trajectoryLength
    self.maximumSteps = maximumSteps
    self.divergenceThreshold = divergenceThreshold
  }

  package func makeTransition(dimension: Int) -> any MarkovTransition {
    makeTransitions(dimension: dimension, chains: 1)[0]
  }

  package func makeTransitions(dimension: Int, chains: Int) -> [any MarkovTransition] {
    let length = TrajectoryLength(
      initial: trajectoryLength, maximumSteps: maximumSteps, chains: chains)
    return (0..<chains).map {
      CheesTransition(self, length: length, chain: $0, dimension: dimension)
    }
  }
}

private final class CheesTransition: AdaptiveTransition {
  private let settings: CheesHamiltonianMonteCarlo
  private let length: TrajectoryLength
  private let chain: Int
  private let path: HamiltonianPath
  private var iteration = 0

  init(
    _ settings: CheesHamiltonianMonteCarlo, length: TrajectoryLength, chain: Int, dimension: Int
  ) {
    self.settings = settings
    self.length = length
    self.chain = chain
    path = HamiltonianPath(dimension: dimension)
  }

  func step(
    _ state: ChainState, leapfrog: Leapfrog, lane: Lane, stream: inout RandomStream
  ) async -> TransitionRecord {
    iteration += 1
    let planned = (halton(iteration) * length.value / leapfrog.stepSize).rounded(.up)
    let count = Int(min(max(planned, 1), Double(settings.maximumSteps)))
    path.begin(state, leapfrog: leapfrog, stream: &stream)
    let record = await path.follow(
      state, leapfrog: leapfrog, steps: count, uniform: stream.uniform(),
      divergenceThreshold: settings.divergenceThreshold, lane: lane)
    if !length.hasSettled {
      let (here, there) = (state.position, path.other.state.position)
      length.collect(
        chain: chain, start: path.isAccepted ? there : here, end: path.isAccepted ? here : there,
        momentum: path.other.momentum, acceptance: record.acceptance, steps: count,
        leapfrog: leapfrog)
    }
    return record
  }

  func adapt(lane: Lane) async { await length.meet(lane: lane) }

  func settle() { length.settle() }
}

/// Element `index` ≥ 1 of the Halton sequence in base 2: the binary digits of the index mirrored at
/// the point, in (0, 1).
func halton(_ index: Int) -> Double {
  var digits = UInt64(index)
  var reversed: UInt64 = 0
  for _ in 0..<32 {
    reversed = reversed << 1 | digits & 1
    digits >>= 1
  }
  return Double(reversed) * 0x1p-32
}
