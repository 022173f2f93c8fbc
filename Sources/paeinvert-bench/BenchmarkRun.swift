import ImageFiles
import PAEInversion
import Problems

/// Measures the chosen parts one after another.
struct BenchmarkRun {
  let settings: BenchmarkSettings
  let parts: [BenchmarkPart]
  /// Of the parts posterior and preconditioning.
  let solving: SolveOptions
  /// A further model for the gradient rows, by name or path.
  let furtherModel: String?

  /// - Parameters:
  ///   - report: called with each part when it is done.
  ///   - skip: called with a part that lacks an input and a line that says which.
  func run(
    report: (BenchmarkSection) throws -> Void, skip: (BenchmarkPart, PipelineError) throws -> Void
  ) throws {
    let meter = CeilingMeter(settings)
    for part in parts {
      do {
        try report(try measure(part, meter))
      } catch {
        let error = PipelineError(error)
        guard error.exitCode == 66 else { throw error }
        try skip(part, error)
      }
    }
  }

  private func measure(_ part: BenchmarkPart, _ meter: CeilingMeter) throws -> BenchmarkSection {
    switch part {
    case .startup: try StartUpBenchmark(settings).run()
    case .ceiling: CeilingBenchmark.run(settings, meter)
    case .gradient:
      try GradientBenchmark.run(
        settings, meter,
        models: [.shipped(), .infogan()] + (furtherModel.map { [try .named($0)] } ?? []))
    case .train:
      try TrainingBenchmark.run(settings, meter, models: [.shipped(), .infogan()])
    case .flow: try FlowBenchmark.run(settings, model: .shipped())
    case .noise: try NoiseBenchmark.run(settings)
    case .maskedNoise: try MaskedNoiseBenchmark.run(settings)
    case .posterior:
      try PosteriorBenchmark(solving, repeats: settings.stopwatch.repeats).run()
    case .preconditioning:
      try PreconditioningBenchmark(solving, pool: settings.pool).run()
    }
  }
}
