import ImageFiles

/// Part `ceiling`: what the machine can do at best.
enum CeilingBenchmark {
  static func run(_ settings: BenchmarkSettings, _ meter: CeilingMeter) -> BenchmarkSection {
    let best = meter.best
    let copies = Ceiling.copyRates(settings.stopwatch, pool: settings.pool)
    return BenchmarkSection(
      part: .ceiling,
      title: "ceiling: single-threaded products and copies on \(settings.threads) threads at once",
      table: Table(pairs: [
        ("dnnl_sgemm \(best.product.text), GFLOP/s", best.gflops.text),
        ("the same for a second of one core", best.gflopsPerCore.text),
        ("share of the time that its threads had a core", best.share.text),
        ("copy of \(Ceiling.copiedBytes >> 20) MiB, read + written, GB/s", copies.text),
      ]),
      json: .object(
        best.gflops.members("sgemm_gflops")
          + best.gflopsPerCore.members("sgemm_gflops_per_core")
          + best.share.members("core_share") + copies.members("copy_gbs")
          + [
            (
              "sgemm_product",
              .array([best.product.m, best.product.k, best.product.n].map { .integer($0) })
            )
          ]))
  }
}
