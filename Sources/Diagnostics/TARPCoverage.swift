/// The share of draws that lie nearer to a reference point than the truth does, Euclidean: uniform on
/// [0, 1] over simulations when the posterior is right and the reference depends on the data alone. Ties,
/// which `tieBreaker` in [0, 1) settles, and the ends make it one of 0…n of n draws, spread evenly.
///
/// A reference that does not depend on the data, or lies symmetrically about the posterior, can miss
/// posteriors that are wrong.
/// Source: Lemos, Coogan, Hezaveh and Perreault-Levasseur, "Sampling-based accuracy testing of posterior
/// estimators for general inference", ICML 2023, theorem 3.
/// - Parameter draws: n × D.
public func tarpRank(
  truth: [Double], draws: [[Double]], reference: [Double], tieBreaker: Double
) -> Double {
  precondition(truth.count == reference.count && !draws.isEmpty)
  func squaredDistance(_ point: [Double]) -> Double {
    zip(point, reference).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
  let rank = calibrationRank(
    of: squaredDistance(truth), among: draws.map(squaredDistance), tieBreaker: tieBreaker)
  return (Double(rank) + tieBreaker) / Double(draws.count + 1)
}
