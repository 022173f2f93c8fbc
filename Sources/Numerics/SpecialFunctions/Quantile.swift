/// The quantile that interpolates linearly between order statistics, place (1 − p) + n p counted from
/// 1 (type 7 of Hyndman and Fan 1996, the default of R and NumPy).
/// - Precondition: `sorted` is sorted, and not empty.
package func quantile(_ sorted: [Double], _ probability: Double) -> Double {
  let n = Double(sorted.count)
  guard sorted.count > 1 else { return sorted[0] }
  let place = n * probability + (1 - probability)
  let lower = min(max(place, 1), n - 1).rounded(.down)
  let share = min(max(place - lower, 0), 1)
  return (1 - share) * sorted[Int(lower) - 1] + share * sorted[Int(lower)]
}
