import ImageFiles

/// Part `gradient`: log posteriors with gradients, and the decoder's share of them, for each number
/// of lanes; lanes in blocks on all workers.
enum GradientBenchmark {
  static func run(
    _ settings: BenchmarkSettings, _ meter: CeilingMeter, models: [BenchmarkModel]
  ) throws -> BenchmarkSection {
    var table = Table([
      "model", "lanes", "a block", "of", "per second", "GFLOP/s", "fraction", "of a core",
      "ceiling",
    ])
    var json: [JSONText] = []
    for model in models {
      for lanes in settings.lanes {
        let posterior = measure(
          try PosteriorGradients(model.model, lanes: lanes, settings: settings), settings, meter)
        let decoder = measure(
          try DecoderGradients(model.model, lanes: lanes, settings: settings), settings, meter)
        for (name, rate) in [("posterior", posterior), ("decoder", decoder)] {
          table.rows.append(
            [model.name, "\(lanes)", "\(settings.blocks(lanes: lanes).rows)", name] + rate.cells)
        }
        json.append(
          .object(
            [("model", .string(model.name)), ("lanes", .integer(lanes))]
              + posterior.members(prefix: "") + decoder.members(prefix: "decoder_")))
      }
    }
    return BenchmarkSection(
      part: .gradient,
      title: "gradient: log posterior and gradient in codes, and the decoder alone",
      table: table, json: .array(json))
  }

  private static func measure(
    _ batch: some GradientBatch, _ settings: BenchmarkSettings, _ meter: CeilingMeter
  ) -> GradientRate {
    let count = settings.stopwatch.iterations(batch.evaluate)
    let comparison = meter.compare(operations: batch.operations * Double(count)) {
      Elapsed { for _ in 0..<count { batch.evaluate() } }
    }
    return GradientRate(
      comparison: comparison,
      perSecond: comparison.perSecond(operations: batch.operations / Double(batch.lanes)))
  }
}

/// What was measured of one batch.
private struct GradientRate {
  let comparison: Comparison
  /// Gradients.
  let perSecond: Spread

  var cells: [String] { [perSecond.text] + comparison.cells }

  func members(prefix: String) -> [(key: String, value: JSONText)] {
    perSecond.members(prefix + "per_second") + comparison.members(prefix: prefix)
  }
}
