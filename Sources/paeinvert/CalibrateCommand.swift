import ArgumentParser
import Foundation
import Judging
import Numerics
import PAEInversion
import Problems

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Are the error bars right: simulated truths, then held-out real pictures.",
    discussion: """
      Two questions, two tables. The sampler: truths are drawn from the prior, damaged as you say, and \
      solved; the rank of every truth among its draws must be uniform, and posteriors made wrong on \
      purpose must be caught. The model: pictures that the model was not trained on get the same \
      damage; how many of their pixels lie in the 50, 80, 90 and 95 % intervals? With --output a run \
      that was stopped, or whose --budget was used up, goes on where it was when it is started again.

      EXAMPLES
        paeinvert calibrate --sigma 0.1 --rectangle 8-16,9-21
        paeinvert calibrate --sigma 0.1 -n 1000 --budget 60 -o calibration
        paeinvert calibrate --part model --residual none --json
        paeinvert calibrate --problem problem.yaml
      """)

  @Option(name: [.customShort("m"), .long], help: "Model: a name or the path of a model file.")
  var model: String?

  @Option(name: [.customShort("n"), .customLong("count")], help: "Simulations, and pictures.")
  var count = 200

  @Option(help: "sampler, model or both.")
  var part = CalibrateOptions.Part.both

  @Option(
    name: .customLong("dataset"),
    help: "Held-out pictures: fashion-mnist, mnist, IDX files, or a folder of PNGs.")
  var datasets = ["fashion-mnist"]

  @OptionGroup var noise: NoiseArguments

  @Option(help: "Problem file whose operator, noise and mask do the damage.")
  var problem: String?

  @OptionGroup var hole: HoleArguments

  @Option(help: "The decoder's own error as part of the model: full, diagonal, none or auto.")
  var residual = SolveOptions.Residual.auto

  @Option(help: "How the posterior is sampled.")
  var method = SolveOptions.Method.nuts

  @Option(help: "Chains for each picture.")
  var chains = 4

  @Option(help: "Draws kept per chain.")
  var draws = 100

  @Option(help: "Iterations of each chain before the draws, to adapt.")
  var warmup = 100

  @Option(help: "Seed of all randomness.")
  var seed: UInt64 = 1

  @Option(help: "Minutes after which no new batch is begun.")
  var budget: Double?

  @Flag(help: "Also: how much wider the 90 % intervals would have to be on held-out pictures.")
  var conformal = false

  @Option(
    name: [.customShort("o"), .long], help: "Folder for the report and its plots; resumable.")
  var output: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite an earlier result.")
  var force = false

  @Flag(help: "Print the report as JSON on stdout, and nothing else there.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      let options = try calibrateOptions()
      let report = try CalibratePipeline.run(options) { part, done, total in
        console.progress("\(part.rawValue): \(done) of \(total)")
        return true
      }
      console.clearProgress()
      try console.output(json ? report.json.text : table(report))
      if !report.isComplete {
        console.warn("the budget is used up: start the same command again to go on")
      }
      return 0
    }
  }

  private func calibrateOptions() throws -> CalibrateOptions {
    var options = CalibrateOptions(threads: threads.count)
    let noise = try noise.noiseOptions()
    var problemMask: String?
    if let problem {
      let file = try ProblemFile.read(path: problem, options: options.solving)
      guard noise == NoiseOptions(sigma: noise.sigma) else {
        throw PipelineError.usage(
          "--problem has the noise: of the other noise options only --sigma may be given")
      }
      options.solving.operators = file.options.operators
      options.solving.noise = file.options.noise
      options.solving.model = file.options.model
      options.solving.noise.sigma = noise.sigma ?? options.solving.noise.sigma
      problemMask = file.tasks[0].mask
    } else {
      options.solving.noise = noise
    }
    options.hole = try hole.hole(problem: problemMask)
    if let model { options.solving.model = model }
    options.solving.residual = residual
    options.solving.method = method
    options.solving.chains = chains
    options.solving.draws = draws
    options.solving.warmup = warmup
    options.solving.seed = seed
    options.solving.overwrite = force
    (options.count, options.part, options.datasets) = (count, part, datasets)
    (options.budgetMinutes, options.isConformal, options.output) = (budget, conformal, output)
    return options
  }

  private func table(_ report: CalibrateReport) -> String {
    var lines: [String] = []
    if let sampler = report.sampler {
      let bad = sampler.quantities.filter { !$0.isOK }.map(\.name)
      let caught = { (flag: Bool) in flag ? "caught" : "NOT caught" }
      lines += [
        "the sampler, \(sampler.count) truths from the prior:",
        "  ranks: \(sampler.quantities.count - bad.count) of \(sampler.quantities.count) quantities "
          + "inside their 99.9 % band"
          + (bad.isEmpty ? "" : " (outside: \(bad.joined(separator: ", ")))"),
        String(format: "  TARP: largest gap %.3f", sampler.tarpGap)
          + (sampler.isTARPOK ? ", inside the band" : ", OUTSIDE the band"),
        "  wrong on purpose: 20 % too narrow \(caught(sampler.narrowCaught)), 20 % too wide "
          + "\(caught(sampler.wideCaught)), shifted by 0.2 sd \(caught(sampler.shiftedCaught))",
      ]
    }
    if let model = report.model {
      lines.append(
        "the model, \(model.count) held-out pictures (residual: \(report.residualKind.rawValue)):")
      for (name, coverage) in [("observed", model.observed), ("missing", model.missing)] {
        guard let coverage else { continue }
        let shares = coverage.map {
          String(
            format: "%.0f %%: %.1f ± %.1f", 100 * $0.mass, 100 * $0.share, 100 * $0.error)
        }
        lines.append("  \(name) pixels inside " + shares.joined(separator: ", "))
      }
      for (name, stretch) in [
        ("observed", model.observedStretch), ("missing", model.missingStretch),
      ] {
        guard let stretch else { continue }
        if let factor = stretch.factor, let coverage = stretch.coverage {
          lines.append(
            String(
              format:
                "  conformal, %@ pixels: 90 %% intervals times %.2f hold %.1f %% of the other half",
              name, factor, 100 * coverage))
        } else {
          lines.append("  conformal, \(name) pixels: no factor up to 2.5 reaches 90 %")
        }
      }
    }
    lines.append(String(format: "  %.1f s", report.seconds))
    return lines.joined(separator: "\n") + "\n"
  }
}

extension CalibrateOptions.Part: ExpressibleByArgument {}
