import ArgumentParser
import Foundation
import ImageFiles
import Numerics
import PAEInversion
import Problems

/// What `denoise`, `inpaint` and `solve` share: run the pipeline, print the reports, end.
struct SolverCommand {
  let name: String
  let isDryRun: Bool
  let isJSON: Bool
  let isStrict: Bool
  let console: Console

  init(name: String, options: OutputOptions, console: Console) {
    self.name = name
    isDryRun = options.dryRun
    isJSON = options.json
    isStrict = options.strict
    self.console = console
  }

  func run(_ problem: () throws -> ProblemFile) -> Never {
    console.run {
      let problem = try problem()
      let groups = try Self.groups(problem)
      if isDryRun { return try dryRun(problem, groups) }
      var reports = [(any SolverReport)?](repeating: nil, count: problem.tasks.count)
      for group in groups {
        let pipeline = try makeSolverPipeline(command: name, options: group.options)
        let solved = try pipeline.solve(
          group.indices.map { problem.tasks[$0] }, warn: console.warn
        ) { progress in
          console.progress(Self.line(progress))
          return true
        }
        for (index, report) in zip(group.indices, solved) { reports[index] = report }
      }
      console.clearProgress()
      return try tell(zip(problem.tasks, reports.compactMap { $0 }).map { ($0, $1) })
    }
  }

  /// Tasks of one model.
  private typealias Group = (options: SolveOptions, indices: [Int])

  /// Pictures that leave the choice of a model to their size go with others of their choice.
  private static func groups(_ problem: ProblemFile) throws -> [Group] {
    guard problem.options.model == ModelLocator.automaticName else {
      return [(problem.options, Array(problem.tasks.indices))]
    }
    var groups: [(choice: ModelChoice, indices: [Int])] = []
    for (index, task) in problem.tasks.enumerated() {
      let choice = try ModelChoice.forPicture(task.image, behind: problem.options.operators)
      if let place = groups.firstIndex(where: { $0.choice.name == choice.name }) {
        groups[place].indices.append(index)
      } else {
        groups.append((choice, [index]))
      }
    }
    return groups.map { group in
      var options = problem.options
      options.model = group.choice.name
      options.modelReason = group.choice.reason
      return (options, group.indices)
    }
  }

  private func dryRun(_ problem: ProblemFile, _ groups: [Group]) throws -> Int32 {
    guard let group = groups.first, groups.count == 1 else {
      throw PipelineError.usage(
        "the pictures take different models, and a problem file names one: give --model, or check them "
          + "one kind at a time")
    }
    try makeSolverPipeline(command: name, options: group.options)
      .check(problem.tasks, warn: console.warn)
    var problem = problem
    problem.options = group.options
    try console.output(problem.yaml)
    return 0
  }

  /// Prints what is to be said of the results; returns the exit code.
  private func tell(_ results: [(task: SolveTask, report: any SolverReport)]) throws -> Int32 {
    for (task, report) in results {
      guard let report = report as? SolveReport else { continue }
      for reason in report.samplerReasons {
        if report.areDrawsOK {
          console.note("paeinvert: \(task.image): \(reason)")
        } else {
          console.warn("\(task.image): \(reason)")
        }
      }
    }
    if isJSON {
      let all = results.map(\.report.json)
      try console.output((all.count == 1 ? all[0] : .array(all)).text)
    } else if !console.isQuiet {
      for (task, report) in results {
        switch report {
        case let report as SolveReport:
          try console.output(Self.summary(report, task, console))
        case let report as TileReport:
          try console.output(
            "\(task.image): \(task.output)/gallery.png\n\(report.summary)\n")
        default: preconditionFailure("a report of a kind that no one prints")
        }
      }
    }
    return isStrict && results.contains { !$0.report.isOK || !$0.report.warnings.isEmpty } ? 3 : 0
  }

  private static func line(_ progress: SolveProgress) -> String {
    let percent = String(format: "%3.0f %%", 100 * progress.fraction)
    let divergences = progress.divergences > 0 ? ", \(progress.divergences) divergences" : ""
    return "\(progress.stage.rawValue) \(percent)\(divergences)"
  }

  private static func summary(_ report: SolveReport, _ task: SolveTask, _ console: Console)
    -> String
  {
    var lines = ["\(task.image): \(task.output)/gallery.png"]
    if let sigma = report.sigma {
      lines.append(
        sigma.deviation.map { String(format: "  noise %.4g ± %.2g", sigma.mean, $0) }
          ?? String(format: "  noise %.4g", sigma.mean))
    }
    let fit =
      report.fit.chiSquarePerDatum.isFinite
      ? String(format: "chi2 per datum %.2f", report.fit.chiSquarePerDatum)
      : "no datum lies inside the range"
    let colour = report.fit.whiteness.map {
      $0.isColoured ? String(format: ", residuals not white (p %.1g)", $0.spectrumP) : ""
    }
    lines.append("  fit: \(fit)\(colour ?? ""); prior: \(report.kinshipVerdict.rawValue)")
    if report.misfit.verdict != .inFamily { lines.append("    \(report.misfit.reason)") }
    if let quality = report.quality {
      lines.append(
        String(format: "  against the truth: PSNR %.2f dB, SSIM %.3f", quality.psnr, quality.ssim))
    }
    if let verdict = report.verdict {
      lines.append(
        String(
          format: "  R-hat %.3f, ESS %.0f bulk %.0f tail, %d divergences: ",
          verdict.rHatMaximum, verdict.bulkESSMinimum, verdict.tailESSMinimum, verdict.divergences)
          + console.colored(
            report.areDrawsOK ? "diagnostics pass" : "diagnostics fail", good: report.areDrawsOK))
    }
    let settled = report.warmupLength.map {
      $0 < report.options.warmup ? ", warmup settled after \($0) of \(report.options.warmup)" : ""
    }
    lines.append(String(format: "  %.1f s", report.seconds.total) + (settled ?? ""))
    return lines.joined(separator: "\n") + "\n"
  }
}

struct DenoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoise",
    abstract: "Posterior draws of the picture behind a noisy one.",
    discussion: """
      The picture is noisy everywhere. Without --sigma the noise level is inferred together with the \
      picture. Results go to a folder beside the picture: mean.png, std.png, map.png, gallery.png, \
      samples/, posterior.safetensors, draws.nc, report.json and report.html.

      EXAMPLES
        paeinvert denoise noisy.png
        paeinvert denoise photo.png                  (any size, by the model photo or photo-rgb)
        paeinvert denoise photo.png --sigma 0.1 --quality best
        paeinvert denoise noisy.png --sigma 0.3 --truth truth.png -o result
        paeinvert denoise a.png b.png c.png          (one batch, a folder each)
        paeinvert denoise noisy.png --method map     (the most probable picture, at once)
        paeinvert denoise noisy.png --noise-spectrum power:2
        paeinvert denoise noisy.png --noise-spectrum power:auto  (infer the slope as well)
        paeinvert denoise noisy.png --dry-run > problem.yaml     (the same as a problem file)
      """)

  @Argument(help: "Pictures, PNG or NumPy arrays, of any size; - reads standard input.")
  var images: [String]

  @OptionGroup var options: SolverOptions

  func run() {
    SolverCommand(
      name: "denoise", options: options.output, console: options.consoleOptions.console
    ).run { try options.problem(images, mask: nil, suffix: "denoised") }
  }
}

struct InpaintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inpaint",
    abstract: "Posterior draws of a picture of which a part is missing.",
    discussion: """
      In the mask white (50 % or more) is observed; black, and what is transparent, is missing. What lies \
      under the missing part has no influence on the result. Pixels that are NaN are missing as well.

      EXAMPLES
        paeinvert inpaint damaged.png --mask mask.png
        paeinvert inpaint cutout.png                 (transparent = missing)
        paeinvert inpaint damaged.png --mask mask.png --invert-mask
        paeinvert inpaint damaged.png --mask mask.png --sigma 0.1 --chains 32
      """)

  @Argument(help: "Pictures, PNG or NumPy arrays, of any size; - reads standard input.")
  var images: [String]

  @Option(
    help:
      "PNG or NumPy array of the picture's size: white = observed, black or transparent = missing. (default: what is transparent, or NaN, in the picture)"
  )
  var mask: String?

  @Flag(help: "In the mask black is observed and white is missing.")
  var invertMask = false

  @Option(
    help: ArgumentHelp(
      "The number in the mask (a sample of a PNG) that means missing; all others are observed.",
      valueName: "value"))
  var maskBad: Double?

  @OptionGroup var options: SolverOptions

  func run() {
    SolverCommand(
      name: "inpaint", options: options.output, console: options.consoleOptions.console
    ).run {
      var problem = try options.problem(images, mask: mask, suffix: "inpainted")
      for index in problem.tasks.indices {
        problem.tasks[index].allowsMissing = true
        problem.tasks[index].isTransparentMissing = mask == nil
      }
      problem.options.maskReading.isInverted = invertMask
      problem.options.maskReading.bad = maskBad
      return problem
    }
  }
}
