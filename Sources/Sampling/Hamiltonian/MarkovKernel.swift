import Randomness

/// A Markov transition that leaves the target invariant: a value that holds its settings.
package protocol MarkovKernel: Sendable {
  /// A transition with all its memory, for one chain of D dimensions.
  func makeTransition(dimension: Int) -> any MarkovTransition
  /// Those of all chains of one problem, which may learn from each other in warmup.
  func makeTransitions(dimension: Int, chains: Int) -> [any MarkovTransition]
}

extension MarkovKernel {
  /// Chains that share nothing.
  package func makeTransitions(dimension: Int, chains: Int) -> [any MarkovTransition] {
    (0..<chains).map { _ in makeTransition(dimension: dimension) }
  }
}

/// A kernel at work in one chain; owns its scratch memory, takes no more.
package protocol MarkovTransition: AnyObject {
  /// Moves `state` on by one draw.
  func step(
    _ state: ChainState, leapfrog: Leapfrog, lane: Lane, stream: inout RandomStream
  ) async -> TransitionRecord
}

/// A transition whose chains learn more from the warmup than step size and metric.
package protocol AdaptiveTransition: MarkovTransition {
  /// Learns from the latest step; called after every one of a warmup, by all chains of the problem
  /// equally often, so they may meet here.
  func adapt(lane: Lane) async
  /// The warmup is over: what has been learned stays.
  func settle()
}

/// What a person wants to know about one transition.
public struct TransitionRecord: Sendable, Equatable {
  /// Mean Metropolis acceptance probability along the trajectory, in 0…1.
  public let acceptance: Double
  /// Leapfrog steps, one gradient each.
  public let steps: Int
  /// Completed doublings of the trajectory; 0 for samplers without a tree.
  public let depth: Int
  /// H of the draw with the momentum that it was reached with, nats.
  public let energy: Double
  public let end: TrajectoryEnd

  public var isDivergent: Bool { end == .divergence }
}

/// Every way in which a trajectory can end.
public enum TrajectoryEnd: String, Sendable, CaseIterable {
  /// The whole trajectory began to turn back.
  case turned
  /// A part of the newest doubling turned back; that doubling is discarded.
  case turnedInside
  /// The allowed number of doublings is done.
  case maximumDepth
  /// The planned number of steps is done.
  case lengthReached
  /// The energy rose by more than the threshold, or the log density is not finite.
  case divergence
}
