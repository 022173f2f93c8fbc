import Foundation
import Numerics

/// A balanced piece of a trajectory, in the order of integration: its end momenta and velocities,
/// the sum of its momenta, its weight and the draw chosen from it.
///
///     ρ = Σ p over the piece            momentumSum        D
///     p_first, p_last; v = Σ p          …Momentum/Velocity D
///     log Σ exp(H₀ − H)                 logWeight
final class Subtree {
  let draw: ChainState
  private(set) var drawEnergy = 0.0
  private(set) var logWeight = -Double.infinity
  private var momentumSum: [Double]
  private var firstMomentum: [Double]
  private var firstVelocity: [Double]
  private var lastMomentum: [Double]
  private var lastVelocity: [Double]

  init(dimension: Int) {
    let zeros = [Double](repeating: 0, count: dimension)
    draw = ChainState(position: zeros)
    momentumSum = zeros
    firstMomentum = zeros
    firstVelocity = zeros
    lastMomentum = zeros
    lastVelocity = zeros
  }

  /// The piece of one point.
  func setLeaf(_ point: PhasePoint, energy: Double, logWeight: Double) {
    draw.copy(from: point.state)
    drawEnergy = energy
    self.logWeight = logWeight
    copy(point.momentum, into: &momentumSum)
    copy(point.momentum, into: &firstMomentum)
    copy(point.momentum, into: &lastMomentum)
    copy(point.velocity, into: &firstVelocity)
    copy(point.velocity, into: &lastVelocity)
  }

  /// Reads the piece from its other end: a doubling backwards in time begins at the first point.
  func reverse() {
    swap(&firstMomentum, &lastMomentum)
    swap(&firstVelocity, &lastVelocity)
  }

  /// How a draw is chosen when two pieces join.
  enum DrawChoice {
    /// In proportion to the weights: exact multinomial sampling within the newest doubling.
    case multinomial
    /// New with probability min(1, w_new/w_old): further from the start, still invariant.
    case biasedProgressive
  }

  /// Appends `newer`, whose first point follows the last of this piece, and says whether the joined
  /// piece still moves apart. `newer` is left with unspecified contents.
  ///
  /// Source: Betancourt, "A conceptual introduction to Hamiltonian Monte Carlo", 2017, appendix A.3
  /// (weights and choice) and A.4.2 (the generalized criterion ρ·v > 0 at both ends); the criterion is
  /// also asked of each half extended by the other's nearest point, as in Stan ≥ 2.21, since on
  /// near-Gaussian targets a pair of halves can close a whole period unseen.
  func append(_ newer: Subtree, choice: DrawChoice, uniform: Double) -> Bool {
    let movesApart = self.movesApart(joining: newer)
    let total = logSumExp(logWeight, newer.logWeight)
    let reference =
      switch choice {
      case .multinomial: total
      case .biasedProgressive: logWeight
      }
    if uniform < exp(newer.logWeight - reference) {
      draw.exchange(with: newer.draw)
      drawEnergy = newer.drawEnergy
    }
    logWeight = total
    addScaled(1, newer.momentumSum, to: &momentumSum)
    swap(&lastMomentum, &newer.lastMomentum)
    swap(&lastVelocity, &newer.lastVelocity)
    return movesApart
  }

  private func movesApart(joining newer: Subtree) -> Bool {
    // (ρ₁ + ρ₂)·v at the outer ends; (ρ₁ + p₂first)·v over the first half and one point more;
    // (p₁last + ρ₂)·v over one point and the second half.
    let first = firstVelocity
    let last = newer.lastVelocity
    let firstBySum = dot(momentumSum, first)
    let lastByNewerSum = dot(newer.momentumSum, last)
    return firstBySum + dot(newer.momentumSum, first) > 0
      && dot(momentumSum, last) + lastByNewerSum > 0
      && firstBySum + dot(newer.firstMomentum, first) > 0
      && dot(momentumSum, newer.firstVelocity) + dot(newer.firstMomentum, newer.firstVelocity) > 0
      && dot(lastMomentum, lastVelocity) + dot(newer.momentumSum, lastVelocity) > 0
      && dot(lastMomentum, last) + lastByNewerSum > 0
  }
}

/// log(eᵃ + eᵇ), exact at −∞.
func logSumExp(_ a: Double, _ b: Double) -> Double {
  let larger = max(a, b)
  return larger == -.infinity ? larger : larger + log1p(exp(min(a, b) - larger))
}
