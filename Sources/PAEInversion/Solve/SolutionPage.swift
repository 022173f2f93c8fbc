import Diagnostics
import Foundation
import Galleries
import ImageFiles
import Inversion
import Numerics
import Problems
import Solving
import Tensors

/// `report.html` of one solution, from what the other files hold.
///
/// Wall times are left out: they stand in `report.json`, and the same seed gives the same page.
struct SolutionPage {
  let solved: InverseSolution
  let report: SolveReport
  private var solution: Solution { solved.solution }
  private var pictures: SolutionPictures { solved.pictures }
  private var posterior: ImagePosterior { solved.batch.posterior }

  /// Of the drawn pictures.
  private static let shownDraws = 16
  /// Coordinates in a plot of the worst.
  private static let worst = 10

  func html() throws -> String {
    try ReportPage(
      title: report.title, captions: Array(report.captions.prefix(1)),
      findings: report.findings,
      pictures: [summaries] + [draws, modes, groups].filter { !$0.figures.isEmpty }, plots: plots,
      tables: tables, footer: "paeinvert \(PAEInvert.version), seed \(report.options.seed)"
    ).html()
  }

  private var summaries: ReportPage.Pictures {
    let (data, observed) = solution.picture.shown(in: pictures.map.shape)
    let measured: Panel.Content =
      if let observed { .masked(data, observed: observed, range: 0...1) } else {
        .picture(data, range: 0...1)
      }
    var figures = [ReportFigure(Panel("data", measured))]
    func add(_ label: String, _ tensor: Tensor?, _ note: String) {
      guard let tensor else { return }
      figures.append(ReportFigure(Panel(label, .picture(tensor, range: 0...1)), note: note))
    }
    add("mean", pictures.mean, "of the posterior")
    if let deviation = pictures.standardDeviation {
      figures.append(
        ReportFigure(Panel("standard deviation", .heat(deviation))))
    }
    add("MAP", pictures.map, "most probable")
    add("truth", solution.picture.truth, "as given")
    return .init("Pictures", figures)
  }

  private var draws: ReportPage.Pictures {
    .init(
      "Draws from the posterior",
      pictures.draws.prefix(Self.shownDraws).map {
        ReportFigure(Panel("", .picture($0, range: 0...1)), side: 84)
      })
  }

  private var modes: ReportPage.Pictures {
    .init(
      "Modes, by their share of the mass",
      zip(pictures.modes, report.modes).map { picture, mode in
        ReportFigure(
          Panel(String(format: "%.3g %%", 100 * mode.weight), .picture(picture, range: 0...1)),
          note: String(format: "ln p %.1f", mode.logDensity), side: 112)
      })
  }

  private var groups: ReportPage.Pictures {
    .init(
      "Chains that disagree: the mean of each group",
      zip(pictures.groups, report.groups).map { picture, group in
        ReportFigure(
          Panel(
            String(format: "%.3g %%", 100 * (group.particleShare?.share ?? group.share)),
            .picture(picture, range: 0...1)),
          note: "\(group.chains.count) chains", side: 112)
      })
  }

  private var plots: [ReportPage.Plot] {
    guard let run = solution.run, let verdict = report.verdict else { return [] }
    let densities = (0..<run.draws.chains).map { chain in
      Array(
        run.draws.logDensities[chain * run.draws.draws..<(chain + 1) * run.draws.draws])
    }
    let trace = TracePlot(densities, name: "log density (nats)")
    let energy = run.chains.map { [energies($0.energies)] } ?? []
    return [
      .init(
        "Log density",
        "One line a chain; chains that have found the same distribution are mingled. "
          + (trace.omission.isEmpty ? "" : "For brevity " + trace.omission + "."), [trace.svg]),
      .init(
        "Ranks of the log density, chain by chain",
        "Where each chain's draws stand among all draws. Chains that agree are flat, at the "
          + "dashed line.", [RankPlot(densities, name: "the log density").svg]),
    ] + energy + [coordinates(verdict)]
  }

  private func energies(_ energies: [[Double]]) -> ReportPage.Plot {
    let all = energies.joined()
    let mean = accurateSum(all) / Double(max(all.count, 1))
    let changes = energies.flatMap { chain in zip(chain.dropFirst(), chain).map { $0 - $1 } }
    return .init(
      "Energy",
      "When the change of the energy from draw to draw is much narrower than the energy itself, "
        + "the tails are explored slowly (E-BFMI below \(Verdict.smallestEBFMI)).",
      [
        HistogramPlot(
          .init("energy", all.map { $0 - mean }), .init("change", changes),
          name: "energy about its mean, and its change (nats)"
        ).svg
      ])
  }

  private func coordinates(_ verdict: Verdict) -> ReportPage.Plot {
    let named = verdict.coordinates.enumerated().map { (name(ofCoordinate: $0), $1) }
    // What cannot be computed is worse than any number; ties keep their order.
    func worst(_ badness: (ScalarDiagnostics) -> Double) -> [(String, ScalarDiagnostics)] {
      let keyed = named.enumerated().map { index, item in
        (badness(item.1).isNaN ? .infinity : badness(item.1), index)
      }
      return keyed.sorted { ($0.0, -$0.1) > ($1.0, -$1.1) }.prefix(Self.worst).map { named[$0.1] }
    }
    let rHat = BarPlot(
      "R-hat", rows: worst(\.rHat).map { .init($0, [$1.rHat]) }, origin: 1,
      limit: Verdict.largestRHat, decimals: 4)
    let sizes = BarPlot(
      "effective draws, bulk and tail",
      rows: worst { -min($0.bulkESS, $0.tailESS) }.map { .init($0, [$1.bulkESS, $1.tailESS]) },
      origin: 0, limit: Verdict.smallestESS, decimals: 0)
    return .init(
      "The \(min(Self.worst, named.count)) worst coordinates",
      "Left: R-hat, good up to the dashed line. Right: effective draws of the centre (upper bar) "
        + "and of the tails (lower bar), good from the dashed line on.", [rHat.svg, sizes.svg])
  }

  /// As `draws.nc` names it; levels by their logarithms, which is what diagnostics look at.
  private func name(ofCoordinate index: Int) -> String {
    switch index {
    case posterior.logSigmaIndex: "ln σ"
    case posterior.logScaleIndex: "ln α"
    case ..<solved.baseDraws.latentDimension: "u[\(index)]"
    default: "auxiliary[\(index - solved.baseDraws.latentDimension)]"
    }
  }

  /// What was asked for, and every number of `report.json` that is no time of day.
  private var tables: [ReportPage.Table] {
    let asked: Set = [
      "command", "version", "seed", "model", "image", "noise", "method", "space", "chains",
      "draws", "warmup",
    ]
    guard case .object(let members) = report.json else { return [] }
    func rows(_ isWanted: (String) -> Bool) -> [(name: String, value: String)] {
      members.filter { isWanted($0.key) }.flatMap { Self.rows($0.key, $0.value) }
    }
    return [
      .init("Model, noise and options", rows(asked.contains)),
      .init(
        "Numbers of the report", rows { !asked.contains($0) && $0 != "schema" && $0 != "seconds" }),
    ]
  }

  /// Members of objects by their paths; lists by their numbers.
  private static func rows(_ name: String, _ value: JSONText) -> [(name: String, value: String)] {
    switch value {
    case .object(let members): members.flatMap { rows(name + "." + $0.key, $0.value) }
    case .array(let values): values.enumerated().flatMap { rows("\(name)[\($0)]", $1) }
    case .string(let text): [(name, text)]
    case .null: [(name, "none")]
    case .number, .integer, .bool: [(name, String(value.text.dropLast()))]
    }
  }
}

extension DamagedPicture {
  /// The data for the eye, of the picture's shape, and where they say something, nil for everywhere.
  /// Where data are not pixels of the picture, what they suggest stands for them.
  func shown(in shape: Shape) -> (picture: Tensor, observed: Tensor?) {
    let mask =
      observed == nil && !suggestion.isKnown.contains(false)
      ? nil : Tensor(shape: shape, values: suggestion.isKnown.map { $0 ? 1 : 0 })
    return (Tensor(shape: shape, values: suggestion.picture), mask)
  }
}
