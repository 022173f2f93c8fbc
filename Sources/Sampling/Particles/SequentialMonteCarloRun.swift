import Foundation
import Numerics
import Probability

/// A run of several problems in one batch.
public struct SequentialMonteCarloRun: Sendable {
  /// In the order asked for.
  public let problems: [ParticleRun]
  /// Gradients of all problems.
  public let gradients: Int
  /// Wall time.
  public let seconds: Double
}

/// The particles of one problem at β = 1, and how they came there.
public struct ParticleRun: Sendable {
  /// Equally weighted; an island is a chain, its particles are the draws. Neighbours descend from the
  /// same ancestors, so that the usual diagnostics see how alike they are.
  public let draws: DrawSet
  /// log ∫ prior · likelihood of each island, nats: the data's evidence, if the prior integrates to 1.
  public let islandLogEvidences: [Double]
  /// The temperatures after β = 0, in order; the last is β = 1.
  public let levels: [TemperatureLevel]
  /// N²/Σ n², n the number of final particles that descend from one of the N first ones: how many
  /// draws of the prior still have a say. What moves cannot mend, such as the weights of modes, is
  /// known no better than from so many independent draws.
  /// Source: Lee and Whiteley, "Variance estimation in the particle filter", 2018, section 3.
  public let ancestralSampleSize: Double

  /// log of the mean of the islands' evidences (nats): each is unbiased for fixed temperatures, so
  /// their mean is, and more exact.
  public var logEvidence: Double {
    let largest = islandLogEvidences.max()!
    let sum = islandLogEvidences.reduce(0) { $0 + exp($1 - largest) }
    return largest + log(sum / Double(islandLogEvidences.count))
  }

  /// Standard error of `logEvidence`, nats; nil for a single island, which cannot tell.
  ///
  /// The relative standard error of the mean of the evidences (delta method), or that of the mean of
  /// their logarithms where it is larger: with few islands far apart the first saturates at 1.
  public var logEvidenceError: Double? {
    let count = Double(islandLogEvidences.count)
    guard count > 1 else { return nil }
    func standardError(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / count
      let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (sum / (count - 1) / count).squareRoot()
    }
    let relative = islandLogEvidences.map { exp($0 - logEvidence) }
    return max(standardError(relative), standardError(islandLogEvidences))
  }
}

/// What happened at one inverse temperature.
public struct TemperatureLevel: Sendable, Equatable {
  /// β.
  public let inverseTemperature: Double
  /// (Σ w)²/Σ w² of the weights that led here, summed over islands.
  public let effectiveSampleSize: Double
  /// Hamiltonian transitions of every particle.
  public internal(set) var moves = 0
  /// Leapfrog steps of every particle, all moves together.
  public internal(set) var steps = 0
  /// Mean acceptance probability of the moves.
  public internal(set) var acceptance = 0.0
  /// The step size of the last move.
  public internal(set) var stepSize = 0.0
  /// The largest absolute correlation of a coordinate with where it stood before the moves.
  public internal(set) var correlation = 1.0
}
