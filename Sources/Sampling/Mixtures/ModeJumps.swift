import Foundation
import Probability
import Randomness

/// Metropolis moves between the modes that a mixture q knows, to be taken between the transitions of a
/// chain: what gives modes that no trajectory connects their right shares.
///
/// Two kinds take turns; both leave the target p exactly invariant.
///
/// Independence: x' ~ q, accepted with probability min(1, p(x') q(x)/(p(x) q(x'))).
///
/// Transport: from mode i to another, j, keeping the whitened place. Choose i with its responsibility
/// r_i(x) = w_i q_i(x)/q(x), then j ≠ i with w_j/(1 − w_i), and x' = μ_j + L_j L_i⁻¹ (x − μ_i). The move
/// back from x' chooses j with r_j(x') and i with w_i/(1 − w_j) and undoes the map, whose Jacobian is
/// |L_j|/|L_i|; so (Green 1995, eq. 7) the ratio of acceptance is
///
///     p(x')   r_j(x') w_i/(1 − w_j)   |L_j|      p(x')  q(x)    1 − w_i
///     ──── · ────────────────────── · ─────  =   ──── · ───── · ───────
///     p(x)    r_i(x)  w_j/(1 − w_i)   |L_i|      p(x)   q(x')   1 − w_j
///
/// since q_i(x) |L_i| = q_j(x') |L_j|: both are the same function of ξ. Where p's modes are the same but
/// for place and shape, p/q is the same at both ends and every move is accepted up to the weights, in
/// any dimension; an independent x' has to meet a high p/q by luck.
public struct ModeJumps: Sendable {
  public let mixture: GaussianMixture
  /// One jump before every `interval`-th transition, one gradient each.
  public let interval: Int

  /// - Precondition: `interval` ≥ 1.
  public init(mixture: GaussianMixture, interval: Int = 5) {
    precondition(interval >= 1, "an interval is at least one transition")
    self.mixture = mixture
    self.interval = interval
  }
}

/// How many jumps were proposed and accepted.
public struct JumpCounts: Sendable, Equatable {
  public var independenceProposals = 0
  public var independenceAcceptances = 0
  public var transportProposals = 0
  public var transportAcceptances = 0

  public init() {}

  static func + (a: JumpCounts, b: JumpCounts) -> JumpCounts {
    var sum = a
    sum.independenceProposals += b.independenceProposals
    sum.independenceAcceptances += b.independenceAcceptances
    sum.transportProposals += b.transportProposals
    sum.transportAcceptances += b.transportAcceptances
    return sum
  }
}

/// Jumps at work in one chain.
final class JumpTransition {
  private let mixture: GaussianMixture
  private let proposal: ChainState
  private var turn = 0

  init(_ mixture: GaussianMixture) {
    self.mixture = mixture
    proposal = ChainState(position: [Double](repeating: 0, count: mixture.dimension))
  }

  /// Proposes one jump of `state`, makes it or not, and counts it. A mixture of one has no transport.
  func step(_ state: ChainState, lane: Lane, stream: inout RandomStream, counts: inout JumpCounts)
    async
  {
    turn += 1
    let transports = turn.isMultiple(of: 2) && mixture.components.count > 1
    let logSelection: Double
    if transports {
      logSelection = transport(state.position, stream: &stream)
    } else {
      proposal.position = mixture.draw(from: &stream)
      logSelection = 0
    }
    let uniform = stream.uniformOpen()
    await lane.evaluate(proposal)
    let logRatio =
      proposal.logDensity - state.logDensity + mixture.logDensity(at: state.position)
      - mixture.logDensity(at: proposal.position) + logSelection
    let accepted = log(uniform) < logRatio
    if accepted { state.exchange(with: proposal) }
    if transports {
      counts.transportProposals += 1
      counts.transportAcceptances += accepted ? 1 : 0
    } else {
      counts.independenceProposals += 1
      counts.independenceAcceptances += accepted ? 1 : 0
    }
  }

  /// Sets the proposal; ln (1 − w_i)/(1 − w_j).
  private func transport(_ position: [Double], stream: inout RandomStream) -> Double {
    let components = mixture.components
    let source = index(of: stream.uniform(), in: mixture.responsibilities(at: position))
    var others = mixture.weights
    others[source] = 0
    let target = index(of: stream.uniform(), in: others)
    let whitened = components[source].metric.whitened(
      zip(position, components[source].mean).map { $0 - $1 })
    let displacement = components[target].metric.displaced(whitened)
    proposal.position = zip(components[target].mean, displacement).map { $0 + $1 }
    return log1p(-components[source].weight) - log1p(-components[target].weight)
  }

  /// The position seen from the middle of its mode: what the local geometry is to be learned from.
  func centered(_ position: [Double]) -> [Double] {
    let mean = mixture.components[mixture.mostProbableComponent(at: position)].mean
    return zip(position, mean).map { $0 - $1 }
  }
}
