import ImageFiles

/// How fast floating-point operations went.
struct OperationRate {
  /// GFLOP for each second of wall time.
  let gflops: Double
  /// GFLOP for each second of processor time, all threads' summed: the speed of one core. NaN when
  /// that clock stood still, as it does for milliseconds under a limit on processor time.
  let gflopsPerCore: Double

  init(operations: Double, _ elapsed: Elapsed) {
    gflops = 1e-9 * operations / elapsed.seconds
    gflopsPerCore = elapsed.coreSeconds > 0 ? 1e-9 * operations / elapsed.coreSeconds : .nan
  }
}

/// Rates of some work beside those of the ceiling just before.
struct Comparison {
  /// GFLOP/s of the ceiling and of the work, wall time.
  let ceiling: Spread
  let gflops: Spread
  /// Work / ceiling in wall time, of each pair of neighbours in time.
  let fraction: Spread
  /// The same in processor time: idle cores and other processes do not count.
  let coreFraction: Spread

  /// - Precondition: as many of each, at least one.
  init(ceilings: [OperationRate], rates: [OperationRate]) {
    precondition(ceilings.count == rates.count)
    ceiling = Spread(ceilings.map(\.gflops))
    gflops = Spread(rates.map(\.gflops))
    fraction = Spread(zip(rates, ceilings).map { $0.gflops / $1.gflops })
    coreFraction = Spread(zip(rates, ceilings).map { $0.gflopsPerCore / $1.gflopsPerCore })
  }

  /// Items a second, when one takes that many floating-point operations.
  func perSecond(operations: Double) -> Spread {
    gflops.map { $0 * 1e9 / operations }
  }

  /// GFLOP/s, fraction, fraction of a core, ceiling.
  var cells: [String] {
    [
      Spread.text(gflops.median), fraction.text, coreFraction.text, Spread.text(ceiling.median),
    ]
  }

  func members(prefix: String) -> [(key: String, value: JSONText)] {
    gflops.members(prefix + "gflops") + fraction.members(prefix + "fraction")
      + coreFraction.members(prefix + "core_fraction")
      + ceiling.members(prefix + "ceiling_gflops")
  }
}
