import ImageFiles

/// Part `gradient`: log posteriors with gradients, and the decoder's share of them, for each number
/// of lanes; lanes in blocks on all workers.
enum GradientBenchmark {
  static func run(
    _ settings: BenchmarkSettings, _ meter: CeilingMeter, models: [BenchmarkModel]
  ) throws -> BenchmarkSection {
    var table = Table([
      "model", "lanes", "posterior/s", "GFLOP/s", "fraction", "decoder/s", "GFLOP/s", "fraction",
      "ceiling",
    ])
    var rows: [JSONText] = []
    for model in models {
      for lanes in settings.lanes {
        let posterior = measure(
          try PosteriorGradients(model.model, lanes: lanes, settings: settings), settings, meter)
        let decoder = measure(
          try DecoderGradients(model.model, lanes: lanes, settings: settings), settings, meter)
        table.rows.append(
          [model.name, "\(lanes)"] + posterior.cells + decoder.cells
            + [Spread.text(posterior.comparison.ceiling.median)])
        rows.append(
          .object(
            [("model", .string(model.name)), ("lanes", .integer(lanes))]
              + posterior.members(prefix: "") + decoder.members(prefix: "decoder_")
              + posterior.comparison.ceiling.members("ceiling_gflops")))
      }
    }
    return BenchmarkSection(
      part: .gradient,
      title: "gradient: log posterior and gradient in codes, and the decoder alone, in blocks of "
        + "\(settings.lanesPerBlock) lanes; ceiling in GFLOP/s just before",
      table: table, json: .array(rows))
  }

  private static func measure(
    _ batch: some GradientBatch, _ settings: BenchmarkSettings, _ meter: CeilingMeter
  ) -> GradientRate {
    let count = settings.stopwatch.iterations(batch.evaluate)
    let work = batch.operations * Double(count)
    let comparison = meter.compare {
      1e-9 * work / Stopwatch.time { for _ in 0..<count { batch.evaluate() } }
    }
    return GradientRate(
      comparison: comparison, operations: batch.operations / Double(batch.lanes))
  }
}

/// What was measured of one batch.
private struct GradientRate {
  let comparison: Comparison
  /// Floating-point operations of one gradient.
  let operations: Double

  /// Gradients a second.
  var perSecond: Spread {
    let rates = comparison.gflops
    return Spread([rates.minimum, rates.median, rates.maximum].map { $0 * 1e9 / operations })
  }

  var cells: [String] {
    [
      perSecond.text, Spread.text(comparison.gflops.median),
      Spread.text(comparison.fraction.median),
    ]
  }

  func members(prefix: String) -> [(key: String, value: JSONText)] {
    perSecond.members(prefix + "per_second") + comparison.gflops.members(prefix + "gflops")
      + comparison.fraction.members(prefix + "fraction")
  }
}
