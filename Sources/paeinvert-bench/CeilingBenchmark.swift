import ImageFiles

/// Part `ceiling`: what the machine can do at best.
enum CeilingBenchmark {
  static func run(_ settings: BenchmarkSettings, _ meter: CeilingMeter) -> BenchmarkSection {
    let (product, rates) = meter.best
    let copies = Ceiling.copyRates(settings.stopwatch, pool: settings.pool)
    return BenchmarkSection(
      part: .ceiling,
      title: "ceiling: single-threaded products and copies on \(settings.threads) threads at once",
      table: Table(pairs: [
        ("dnnl_sgemm \(product.text), GFLOP/s", rates.text),
        ("copy of \(Ceiling.copiedBytes >> 20) MiB, read + written, GB/s", copies.text),
      ]),
      json: .object(
        rates.members("sgemm_gflops") + copies.members("copy_gbs")
          + [("sgemm_product", .array([product.m, product.k, product.n].map { .integer($0) }))]))
  }
}

/// Measures the product ceiling beside other work: on a machine shared with others it moves, and only
/// neighbours in time can be compared.
final class CeilingMeter {
  private let ceiling: Ceiling
  private let stopwatch: Stopwatch

  /// The fastest product and its GFLOP/s, measured when first asked for.
  private(set) lazy var best: (product: Ceiling.Product, rates: Spread) = ceiling.best(stopwatch)

  init(_ settings: BenchmarkSettings) {
    ceiling = Ceiling(pool: settings.pool)
    stopwatch = settings.stopwatch
  }

  /// GFLOP/s just now.
  func now() -> Double { ceiling.measure(best.product, seconds: 0.5 * stopwatch.seconds) }

  /// `repeats` times: the ceiling, then `work`, which returns GFLOP/s.
  func compare(_ work: () -> Double) -> Comparison {
    var (ceilings, rates): ([Double], [Double]) = ([], [])
    _ = best
    for _ in 0..<stopwatch.repeats {
      ceilings.append(now())
      rates.append(work())
    }
    return Comparison(ceilings: ceilings, rates: rates)
  }
}

/// Rates of some work beside those of the ceiling, both in GFLOP/s.
struct Comparison {
  let ceiling: Spread
  let gflops: Spread
  /// Work / ceiling, of each pair of neighbours in time.
  let fraction: Spread

  init(ceilings: [Double], rates: [Double]) {
    ceiling = Spread(ceilings)
    gflops = Spread(rates)
    fraction = Spread(zip(rates, ceilings).map { $0 / $1 })
  }
}
