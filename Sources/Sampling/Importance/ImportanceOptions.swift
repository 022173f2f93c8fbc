import Randomness

/// One problem, the mixture to draw from, its luck.
public struct ImportanceProblem: Sendable {
  /// Index among the density's problems.
  public let index: Int
  /// q₀. Tails heavier than the posterior's (`withDegreesOfFreedom(7)`) keep weights bounded.
  public let proposal: GaussianMixture
  /// Root of this problem's random numbers.
  public let key: RandomKey

  public init(index: Int = 0, proposal: GaussianMixture, key: RandomKey) {
    self.index = index
    self.proposal = proposal
    self.key = key
  }
}

/// How much to draw and how often to improve the proposal.
public struct ImportanceOptions: Sendable, Equatable {
  /// Draws a round, S.
  public var draws: Int
  /// Refits of the proposal at most; none once k̂ is small enough.
  public var adaptations: Int
  /// Lanes evaluated by one worker at a time, as in `SamplerOptions`.
  public var lanesPerBlock: Int?

  /// - Precondition: `draws` ≥ 25, `adaptations` ≥ 0, `lanesPerBlock` ≥ 1.
  public init(draws: Int = 4096, adaptations: Int = 2, lanesPerBlock: Int? = nil) {
    precondition(draws >= 25, "a tail takes at least 25 draws")
    precondition(adaptations >= 0)
    precondition(lanesPerBlock.map { $0 >= 1 } ?? true, "a block has at least one lane")
    self.draws = draws
    self.adaptations = adaptations
    self.lanesPerBlock = lanesPerBlock
  }
}
