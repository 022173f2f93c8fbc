import Foundation
import Numerics
import Randomness

/// The No-U-Turn sampler: leapfrog × multinomial choice along the trajectory × generalized U-turn.
///
/// Sources: Hoffman and Gelman, "The No-U-Turn sampler", 2014 (doubling); Betancourt, "A conceptual
/// introduction to Hamiltonian Monte Carlo", 2017, appendix A (weights, criterion).
public struct NoUTurnSampler: MarkovKernel {
  /// A trajectory has at most 2^maximumDepth − 1 steps.
  public let maximumDepth: Int
  /// Energy error, in nats, above which a trajectory counts as divergent.
  public let divergenceThreshold: Double

  /// - Precondition: 1 ≤ `maximumDepth` ≤ 20 and `divergenceThreshold` > 0.
  public init(maximumDepth: Int = 10, divergenceThreshold: Double = 1000) {
    precondition((1...20).contains(maximumDepth), "the tree depth must be in 1…20")
    precondition(divergenceThreshold > 0, "the divergence threshold must be above zero")
    self.maximumDepth = maximumDepth
    self.divergenceThreshold = divergenceThreshold
  }

  package func makeTransition(dimension: Int) -> any MarkovTransition {
    NoUTurnTransition(self, dimension: dimension)
  }
}

private final class NoUTurnTransition: MarkovTransition {
  private let settings: NoUTurnSampler
  private let trajectory: Subtree
  private let forwardEnd: PhasePoint
  private let backwardEnd: PhasePoint
  /// The pieces of a growing doubling: sizes are the binary digits of the steps done so far.
  private let pieces: [Subtree]
  private var steps = 0
  private var acceptanceSum = 0.0

  init(_ settings: NoUTurnSampler, dimension: Int) {
    self.settings = settings
    trajectory = Subtree(dimension: dimension)
    forwardEnd = PhasePoint(dimension: dimension)
    backwardEnd = PhasePoint(dimension: dimension)
    pieces = (0...settings.maximumDepth).map { _ in Subtree(dimension: dimension) }
  }

  func step(
    _ state: ChainState, leapfrog: Leapfrog, lane: Lane, stream: inout RandomStream
  ) async -> TransitionRecord {
    forwardEnd.state.copy(from: state)
    leapfrog.refresh(forwardEnd, from: &stream)
    backwardEnd.copy(from: forwardEnd)
    let startEnergy = forwardEnd.energy
    trajectory.setLeaf(forwardEnd, energy: startEnergy, logWeight: 0)
    steps = 0
    acceptanceSum = 0
    var depth = 0
    var end = TrajectoryEnd.maximumDepth
    while depth < settings.maximumDepth {
      let forward = stream.uniform() < 0.5
      if let early = await double(
        depth, forward: forward, startEnergy: startEnergy, leapfrog: leapfrog, lane: lane,
        stream: &stream)
      {
        end = early
        break
      }
      depth += 1
      if !forward { trajectory.reverse() }
      let movesApart = trajectory.append(
        pieces[0], choice: .biasedProgressive, uniform: stream.uniform())
      if !forward { trajectory.reverse() }
      if !movesApart {
        end = .turned
        break
      }
    }
    state.exchange(with: trajectory.draw)
    return TransitionRecord(
      acceptance: acceptanceSum / Double(max(1, steps)), steps: steps, depth: depth,
      energy: trajectory.drawEnergy, end: end)
  }

  /// Integrates 2^depth steps on from one end and joins them, as a binary counter carries, into
  /// `pieces[0]`: the same merges in the same order as the recursion of the sources. Nil when the
  /// doubling is complete, otherwise why it is not.
  private func double(
    _ depth: Int, forward: Bool, startEnergy: Double, leapfrog: Leapfrog, lane: Lane,
    stream: inout RandomStream
  ) async -> TrajectoryEnd? {
    let point = forward ? forwardEnd : backwardEnd
    var height = 0
    for leaf in 1...(1 << depth) {
      await leapfrog.step(point, forward: forward, lane: lane)
      let energy = point.energy
      let error = energy - startEnergy
      steps += 1
      acceptanceSum += min(1, exp(-error))
      guard error <= settings.divergenceThreshold else { return .divergence }
      pieces[height].setLeaf(point, energy: energy, logWeight: -error)
      height += 1
      for _ in 0..<leaf.trailingZeroBitCount {
        height -= 1
        let movesApart = pieces[height - 1].append(
          pieces[height], choice: .multinomial, uniform: stream.uniform())
        if !movesApart { return .turnedInside }
      }
    }
    return nil
  }
}
