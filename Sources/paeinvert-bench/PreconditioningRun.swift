import Foundation
import ImageFiles

/// What sampling one problem took and gave; all chains together.
struct PreconditioningRun {
  let problem: PreconditioningProblem
  let preconditioning: Preconditioning
  /// Iterations until warmup ended.
  let warmupLength: Int
  let warmupGradients: Int
  let samplingGradients: Int
  /// Leapfrog steps a draw, warmup not counted.
  let stepsPerDraw: Double
  let divergences: Int
  /// Largest over the coordinates of u.
  let rHat: Double
  /// Smallest bulk ESS over the coordinates of u.
  let smallestESS: Double
  /// Smallest tail ESS over the coordinates of u: of the 5 % and 95 % quantiles, where steps that
  /// anticorrelate the draws help less than at the center.
  let smallestTailESS: Double

  /// `smallestESS` for 1,000 gradients of sampling.
  var samplingYield: Double { 1000 * smallestESS / Double(samplingGradients) }
  /// `smallestESS` for 1,000 gradients of warmup and sampling.
  var totalYield: Double { 1000 * smallestESS / Double(warmupGradients + samplingGradients) }

  static let header = [
    "warmup", "its gradients", "steps a draw", "divergences", "R̂", "ESS", "tail ESS",
    "ESS/1000 gradients",
    "with warmup",
  ]

  var cells: [String] {
    [
      "\(warmupLength)", "\(warmupGradients)", Spread.text(stepsPerDraw), "\(divergences)",
      String(format: "%.3f", rHat), Spread.text(smallestESS), Spread.text(smallestTailESS),
      Spread.text(samplingYield), Spread.text(totalYield),
    ]
  }

  var json: JSONText {
    .object([
      ("picture", .integer(problem.picture)), ("sigma", .number(problem.sigma)),
      ("missing", .string(problem.missing)), ("metric", .string(preconditioning.rawValue)),
      ("warmup_length", .integer(warmupLength)), ("warmup_gradients", .integer(warmupGradients)),
      ("sampling_gradients", .integer(samplingGradients)),
      ("leapfrogs_per_draw", .number(stepsPerDraw)), ("divergences", .integer(divergences)),
      ("rhat_max", .number(rHat)), ("ess_min", .number(smallestESS)),
      ("tail_ess_min", .number(smallestTailESS)),
      ("ess_per_1000_gradients", .number(samplingYield)),
      ("ess_per_1000_gradients_with_warmup", .number(totalYield)),
    ])
  }
}

/// Several problems under one preconditioning: geometric means, but the sum of divergences and the
/// largest R̂.
struct PreconditioningSummary {
  let preconditioning: Preconditioning
  private let runs: [PreconditioningRun]

  /// - Precondition: at least one run, all of one preconditioning.
  init(_ runs: [PreconditioningRun]) {
    preconditioning = runs[0].preconditioning
    precondition(runs.allSatisfy { $0.preconditioning == runs[0].preconditioning })
    self.runs = runs
  }

  private func mean(_ value: (PreconditioningRun) -> Double) -> Double {
    exp(runs.reduce(0) { $0 + log(value($1)) } / Double(runs.count))
  }

  private var divergences: Int { runs.reduce(0) { $0 + $1.divergences } }
  /// NaN when one is.
  private var rHat: Double { Spread(runs.map(\.rHat)).maximum }

  var cells: [String] {
    [
      Spread.text(mean { Double($0.warmupLength) }),
      Spread.text(mean { Double($0.warmupGradients) }), Spread.text(mean(\.stepsPerDraw)),
      "\(divergences)", String(format: "%.3f", rHat), Spread.text(mean(\.smallestESS)),
      Spread.text(mean(\.smallestTailESS)),
      Spread.text(mean(\.samplingYield)), Spread.text(mean(\.totalYield)),
    ]
  }

  var json: JSONText {
    .object([
      ("metric", .string(preconditioning.rawValue)),
      ("warmup_gradients", .number(mean { Double($0.warmupGradients) })),
      ("leapfrogs_per_draw", .number(mean(\.stepsPerDraw))), ("divergences", .integer(divergences)),
      ("rhat_max", .number(rHat)), ("ess_min", .number(mean(\.smallestESS))),
      ("tail_ess_min", .number(mean(\.smallestTailESS))),
      ("ess_per_1000_gradients", .number(mean(\.samplingYield))),
      ("ess_per_1000_gradients_with_warmup", .number(mean(\.totalYield))),
    ])
  }
}
