/// Measures the product ceiling beside other work: on a machine shared with others it moves, and only
/// neighbours in time can be compared.
final class CeilingMeter {
  private let ceiling: Ceiling
  private let stopwatch: Stopwatch

  /// Found when first asked for.
  private(set) lazy var best = ceiling.best(stopwatch)

  init(_ settings: BenchmarkSettings) {
    ceiling = Ceiling(pool: settings.pool)
    stopwatch = settings.stopwatch
  }

  /// `repeats` times: the ceiling, then `work` of so many floating-point operations.
  func compare(operations: Double, _ work: () -> Elapsed) -> Comparison {
    var (ceilings, rates): ([OperationRate], [OperationRate]) = ([], [])
    let product = best.product
    for _ in 0..<stopwatch.repeats {
      ceilings.append(ceiling.measure(product, seconds: 0.5 * stopwatch.seconds))
      rates.append(OperationRate(operations: operations, work()))
    }
    return Comparison(ceilings: ceilings, rates: rates)
  }
}
