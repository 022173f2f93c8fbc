import Randomness

/// How particles go from the prior to the posterior.
public struct SequentialMonteCarloOptions: Sendable, Equatable {
  /// Share of the particles that stays effective from one temperature to the next.
  public var effectiveFraction: Double
  /// Mean acceptance probability that the step size aims at.
  public var targetAcceptance: Double
  /// Mean length of a trajectory, in units of time in which the metric's unit Gaussian has period 2π.
  public var trajectoryLength: Double
  /// Lengths are uniform in `trajectoryLength` · [1 − jitter, 1 + jitter].
  public var jitter: Double
  /// No trajectory has more leapfrog steps.
  public var maximumSteps: Int
  /// Particles are moved at each temperature until no coordinate's correlation with where it stood
  /// exceeds this and still falls.
  public var correlationBound: Double
  /// Nor more often than this.
  public var maximumMoves: Int
  /// Particles evaluated by one worker at a time; sets the speed, nil for a good choice. Draws of
  /// another number may differ, since a matrix product's last bits depend on its number of rows.
  public var lanesPerBlock: Int?

  /// - Precondition: shares and the acceptance inside 0…1, 0 ≤ `jitter` < 1, the rest above zero.
  public init(
    effectiveFraction: Double = 0.5, targetAcceptance: Double = 0.8,
    trajectoryLength: Double = .pi / 2, jitter: Double = 0.5, maximumSteps: Int = 255,
    correlationBound: Double = 0.3, maximumMoves: Int = 10, lanesPerBlock: Int? = nil
  ) {
    precondition(0 < effectiveFraction && effectiveFraction < 1, "a share is inside 0…1")
    precondition(0 < targetAcceptance && targetAcceptance < 1, "an acceptance is inside 0…1")
    precondition(trajectoryLength > 0 && trajectoryLength.isFinite, "a length is above zero")
    precondition((0..<1).contains(jitter), "the jitter must be in 0..<1")
    precondition(0 < correlationBound && correlationBound < 1, "the bound is inside 0…1")
    precondition(maximumSteps >= 1 && maximumMoves >= 1)
    precondition(lanesPerBlock.map { $0 >= 1 } ?? true, "a block has at least one lane")
    self.effectiveFraction = effectiveFraction
    self.targetAcceptance = targetAcceptance
    self.trajectoryLength = trajectoryLength
    self.jitter = jitter
    self.maximumSteps = maximumSteps
    self.correlationBound = correlationBound
    self.maximumMoves = maximumMoves
    self.lanesPerBlock = lanesPerBlock
  }
}

/// One problem for sequential Monte Carlo: its place in the density, draws of its prior, its luck.
public struct ParticleProblem: Sendable {
  /// Index among the density's problems.
  public let index: Int
  /// Independent draws of the prior, islands × particles × D.
  public let islands: [[[Double]]]
  /// Root of this problem's random numbers: its draws depend on it, whatever else shares the batch.
  public let key: RandomKey

  /// - Precondition: at least one island of at least two particles, islands of one size, positions of
  ///   one length.
  public init(index: Int = 0, islands: [[[Double]]], key: RandomKey) {
    precondition(!islands.isEmpty && islands[0].count >= 2, "an island needs particles")
    precondition(islands.allSatisfy { $0.count == islands[0].count }, "islands are of one size")
    precondition(islands.joined().allSatisfy { $0.count == islands[0][0].count })
    self.index = index
    self.islands = islands
    self.key = key
  }
}
