import Foundation
import ImageFiles
import Noise
import Randomness

/// Part `masked-noise`: one log density and gradient of coloured noise of which a quarter of the cells
/// and a rectangle are missing, from one thread, one lane: dense at 28×28, conjugate gradients at
/// 256×256. The residual is a draw of the noise.
enum MaskedNoiseBenchmark {
  static func run(_ settings: BenchmarkSettings) throws -> BenchmarkSection {
    var table = Table([
      "spectrum", "grid", "data", "solver", "ms", "iterations", "residual", "log det ±",
      "s to make",
    ])
    var json: [JSONText] = []
    for (name, side, white, isEmbedded) in [
      ("1/f²", 28, 0, false), ("1/f²", 256, 0, false),
      ("1/f² + white", 256, 0.1, false),
      ("1/f², embedded", 256, 0, true),
    ] as [(String, Int, Double, Bool)] {
      var model: MaskedStationaryNoise?
      let making = try Elapsed {
        model = try noise(side: side, white: white, isEmbedded: isEmbedded)
      }
      .seconds
      guard let model else { continue }
      let plan = try model.makePlan(lanes: 1)
      let times = Spread(
        settings.stopwatch.secondsPerRun(evaluation(of: plan, model)).map { 1e3 * $0 })
      let iterative = plan as? ConjugateGradientPlan
      table.rows.append([
        name, "\(side)×\(side)", "\(model.dimension)", model.solver.rawValue, times.text,
        iterative.map { "\($0.iterations)" } ?? "–",
        iterative.map { String(format: "%.1e", $0.relativeResidual) } ?? "–",
        Spread.text(model.logDeterminantError), Spread.text(making),
      ])
      json.append(
        .object(
          [
            ("spectrum", .string(name)), ("height", .integer(side)), ("width", .integer(side)),
            ("data", .integer(model.dimension)), ("solver", .string(model.solver.rawValue)),
            ("iterations", iterative.map { .integer($0.iterations) } ?? .null),
            ("relative_residual", iterative.map { .number($0.relativeResidual) } ?? .null),
            ("log_determinant_error", .number(model.logDeterminantError)),
            ("seconds_to_make", .number(making)),
          ] + times.members("milliseconds")))
    }
    return BenchmarkSection(
      part: .maskedNoise,
      title: "masked-noise: log density and gradient from one thread, one lane",
      table: table, json: .array(json))
  }

  /// - Parameter white: independent noise beside a coloured one of 1, standard deviations.
  private static func noise(
    side: Int, white: Double, isEmbedded: Bool
  ) throws -> MaskedStationaryNoise {
    var stream = RandomKey(seed: 1).child("benchmark mask").stream()
    let (rows, columns) = (side / 4..<side / 2, side / 3..<2 * side / 3)
    let observed = (0..<side * side).map { cell in
      stream.uniform() >= 0.25 && !(rows.contains(cell / side) && columns.contains(cell % side))
    }
    let extent = isEmbedded ? MaskedSpectrum.embeddingExtent(side) : side
    let coloured = try PowerSpectrum.power(exponent: 2, sigma: 1, height: extent, width: extent)
    let spectrum = try PowerSpectrum(
      height: extent, width: extent, values: coloured.values.map { $0 + white * white })
    return try MaskedStationaryNoise(
      MaskedSpectrum(embedding: spectrum, height: side, width: side, observed: observed))
  }

  private static func evaluation(
    of plan: any NoisePlan, _ model: MaskedStationaryNoise
  ) -> () -> Void {
    var stream = RandomKey(seed: 1).child("benchmark residuals").stream()
    var residuals = [Double](repeating: 0, count: model.dimension)
    var residualSpan = residuals.mutableSpan
    plan.draw(&stream, into: &residualSpan)
    return plan.evaluation(of: residuals, lanes: 1)
  }
}
