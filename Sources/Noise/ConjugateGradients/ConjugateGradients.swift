import Maps
import Randomness

/// How the conjugate gradients run.
public struct ConjugateGradients: Sendable, Equatable {
  /// The iterations end when ‖S(r − N x)‖ ≤ tolerance · ‖S r‖, with SᵀS ≈ N⁻¹ the preconditioner:
  /// a residual in standard deviations. The error of rᵀN⁻¹r is about the square of it.
  public var tolerance = 1e-8
  /// After so many they end all the same; the plan says what they reached.
  public var maximumIterations = 500
  /// Neighbours of a datum in the preconditioner. Memory: 8 bytes for each neighbour of each datum.
  /// With 256×256 cells, P ∝ 1/f², a quarter of the cells and a rectangle missing, 12 take 24
  /// iterations, 30 take 10 and 60 take 8; from 16 to 60 the time is much the same, while the standard
  /// error of the log-determinant falls from 0.4 to 0.03 nats.
  public var neighbours = 30
  /// Random vectors of the log-determinant's estimate; one for each datum make it exact.
  public var probes = 32
  /// Of those random vectors.
  public var key = RandomKey(seed: 1).child("log-determinant")

  public init() {}

  /// - Throws: `unusable` naming the number that is out of range.
  func check() throws(PlanError) {
    guard tolerance > 0, tolerance < 1 else {
      throw .unusable(
        "the tolerance of the conjugate gradients is \(tolerance); it must be in (0, 1)")
    }
    for (count, name) in [
      (maximumIterations, "iterations"), (neighbours, "neighbours"), (probes, "probes"),
    ] where count < 1 {
      throw .unusable("\(count) \(name) of the conjugate gradients; at least 1")
    }
  }
}
