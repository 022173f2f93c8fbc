import Numerics
import Foundation

/// The rank of the truth among draws: how many draws are smaller. Ties count as smaller with
/// probability ½, decided by `tieBreaker` in [0, 1), so that ranks of a calibrated sampler are uniform
/// on 0…draws.
///
/// Source: Talts, Betancourt, Simpson, Vehtari and Gelman, "Validating Bayesian inference algorithms
/// with simulation-based calibration", 2018, theorem 1: needs independent draws, so thin a chain first.
public func calibrationRank(of truth: Double, among draws: [Double], tieBreaker: Double) -> Int {
  let smaller = draws.count { $0 < truth }
  let ties = draws.count { $0 == truth }
  return smaller + min(ties, Int(tieBreaker * Double(ties + 1)))
}

/// Pearson's χ² of ranks in 0...`maximumRank` counted in `bins` equal bins, against uniform; with
/// bins − 1 degrees of freedom when calibrated.
/// - Precondition: `bins` divides `maximumRank` + 1; every rank in range.
public func rankChiSquared(_ ranks: [Int], maximumRank: Int, bins: Int) -> Double {
  precondition(bins >= 2 && (maximumRank + 1) % bins == 0, "bins must divide the ranks evenly")
  precondition(ranks.allSatisfy { (0...maximumRank).contains($0) })
  var counts = [Double](repeating: 0, count: bins)
  for rank in ranks { counts[rank * bins / (maximumRank + 1)] += 1 }
  let expected = Double(ranks.count) / Double(bins)
  return counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) } / expected
}

/// Whether the truth lies in the central interval of that mass: between the (1 ∓ mass)/2 quantiles.
/// - Precondition: at least one draw, 0 < `mass` < 1.
public func isCovered(_ truth: Double, by draws: [Double], mass: Double) -> Bool {
  precondition(!draws.isEmpty && 0 < mass && mass < 1)
  let sorted = draws.sorted()
  return quantile(sorted, (1 - mass) / 2) <= truth && truth <= quantile(sorted, (1 + mass) / 2)
}

/// The share of truths that their own draws' central interval of that mass covers.
/// - Precondition: as many truths as sets of draws, at least one.
public func coverage(of truths: [Double], by draws: [[Double]], mass: Double) -> Double {
  precondition(truths.count == draws.count && !truths.isEmpty)
  let covered = zip(truths, draws).count { isCovered($0, by: $1, mass: mass) }
  return Double(covered) / Double(truths.count)
}
