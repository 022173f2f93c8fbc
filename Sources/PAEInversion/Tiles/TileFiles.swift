import Foundation
import Galleries
import ImageFiles
import Likelihoods
import Problems
import Tensors
import Tiles

/// Writes what a picture solved under a prior on tiles leaves in a result folder.
struct TileFiles {
  let picture: PixelPicture
  let answer: TileAnswer
  let report: TileReport

  /// Bytes that the draws in `draws.nc` take at most, and in `posterior.safetensors`.
  private static let largestDraws = 1 << 28
  /// Longest sides in pixels of shown pictures, of those that are compared, and of the part that is shown
  /// enlarged.
  private static let shownSide = 384, comparedSide = 720, partSide = 64

  /// How many of so many draws of a picture of so many elements are kept as numbers, at 4 bytes an element: all
  /// that fit, at least one.
  static func keptDraws(_ count: Int, elements: Int) -> Int {
    min(count, max(1, largestDraws / (4 * elements)))
  }

  func write(to folder: OutputFolder) throws {
    let form = picture.form
    try folder.write(form.encoded(answer.mean), to: "mean.png")
    try folder.write(
      form.encodedDeviation(
        form.deviationInUnits(answer.deviation), white: report.deviationScale), to: "std.png")
    if let best = answer.best { try folder.write(form.encoded(best), to: "map.png") }
    for (index, draw) in answer.draws.enumerated() {
      try folder.write(form.encoded(draw), to: "samples/" + SolutionFiles.numbered(index))
    }
    try folder.write(SafetensorsFile.encode(safetensors), to: "posterior.safetensors")
    if !kept.isEmpty {
      try folder.write(
        NetCDFFile.encode(drawsFile.content, path: folder.path + "/draws.nc"), to: "draws.nc")
    }
    try folder.write(Picture(tensor: gallery).encoded(), to: "gallery.png")
    try folder.write(Array(report.json.text.utf8), to: "report.json")
    try folder.write(Array(page.html().utf8), to: "report.html")
  }

  private var safetensors: Safetensors {
    let form = picture.form
    var tensors: [Safetensors.NamedTensor] = []
    func add(_ name: String, _ tensor: Tensor) {
      tensors.append(.init(name: name, shape: tensor.shape, values: .float32(tensor.values)))
    }
    if !kept.isEmpty {
      let shape = Shape([kept.count] + picture.shown.shape.extents)
      add("draws", Tensor(shape: shape, values: kept.flatMap(\.values)))
    }
    if let best = answer.best { add("map", form.inUnits(best)) }
    add("mean", form.inUnits(answer.mean))
    add("std", form.deviationInUnits(answer.deviation))
    return Safetensors(
      metadata: ["format": "paeinvert-posterior", "version": "1"], tensors: tensors)
  }

  /// The draws that are kept as numbers, in the units of the results.
  private var kept: [Tensor] {
    answer.draws.prefix(Self.keptDraws(answer.draws.count, elements: picture.shown.count))
      .map { picture.form.inUnits($0) }
  }

  private var drawsFile: DrawsFile {
    let kinds = (0..<picture.tensor.count).map {
      picture.observed?[$0] ?? true ? PixelKind.measured : .unobserved
    }
    return DrawsFile(
      pictures: kept,
      data: .init(
        values: picture.form.inUnits(picture.tensor).values, kinds: kinds,
        shape: picture.tensor.shape),
      attributes: [
        .init("command", report.command), .init("seed", String(report.options.seed)),
        .init("method", "tiles"), .init("model", report.modelName),
        .init("model_sha256", report.modelDigest),
      ])
  }

  // MARK: What is shown

  private func panels(_ view: (Tensor) -> Tensor) -> [Panel] {
    var panels: [Panel] = []
    let data = view(picture.shown)
    if let flags = picture.isShown {
      let observed = Tensor(
        shape: picture.shown.shape, values: flags.map { $0 ? Float(1) : 0 })
      panels.append(Panel("data", .masked(data, observed: view(observed), range: 0...1)))
    } else {
      panels.append(Panel("data", .picture(data, range: 0...1)))
    }
    panels.append(Panel("mean", .picture(view(answer.mean), range: 0...1)))
    if let best = answer.best {
      panels.append(Panel("best picture", .picture(view(best), range: 0...1)))
    }
    if let truth = picture.truth {
      panels.append(Panel("truth", .picture(view(truth), range: 0...1)))
    }
    panels.append(Panel("std dev", .heat(view(answer.deviation))))
    return panels
  }

  private var gallery: Tensor {
    let part = part
    var rows = [ContactSheet.Row(panels: panels(shrunk), side: Self.shownSide)]
    if picture.shown.shape[1] > Self.partSide || picture.shown.shape[2] > Self.partSide {
      rows.append(
        ContactSheet.Row(
          heading: "the part that is least certain, enlarged", panels: panels(part),
          side: Self.shownSide / 2))
    }
    let shown = answer.draws.prefix(8)
    if !shown.isEmpty {
      rows.append(
        ContactSheet.Row(
          heading: "draws from the posterior, the same part",
          panels: shown.map { Panel("", .picture(part($0), range: 0...1)) },
          side: Self.shownSide / 2))
    }
    return ContactSheet(title: report.title, captions: [report.caption], rows: rows).render().tensor
  }

  private var page: ReportPage {
    let part = part
    let verdict: ReportPage.Finding =
      report.isOK
      ? .init(
        .good, "Nothing speaks against the answer",
        [
          String(
            format:
              "chi2 per datum is %.2f. A prior on tiles cannot tell whether a picture is of its "
              + "kind, as the small models do: look at the draws.", report.chiSquarePerDatum)
        ] + report.warnings.map(\.text))
      : .init(.doubtful, "The answer is doubtful", report.warnings.map(\.text))
    let rows = report.summary.split(separator: "\n").map { (name: "", value: String($0)) }
    return ReportPage(
      title: report.title, captions: [report.caption], findings: [verdict],
      comparison: comparison,
      pictures: [
        .init("The picture", panels(shrunk).map { ReportFigure($0, side: Self.shownSide) }),
        .init(
          "The part that is least certain",
          panels(part).map { ReportFigure($0, side: Self.shownSide / 2) }),
        .init(
          "Draws from the posterior, the same part",
          answer.draws.prefix(16).map {
            ReportFigure(Panel("", .picture(part($0), range: 0...1)), side: Self.shownSide / 2)
          }),
      ].filter { !$0.figures.isEmpty }, plots: [],
      // Wall times differ from run to run.
      tables: [.init("Numbers", Array(rows.dropLast()))],
      footer: "paeinvert \(PAEInvert.version), seed \(report.options.seed)")
  }

  /// What was given on the right, what was found on the left.
  private var comparison: ReportPage.Comparison {
    let found = answer.best ?? answer.mean
    func figure(_ label: String, _ tensor: Tensor) -> ReportFigure {
      ReportFigure(
        Panel(label, .picture(shrunk(tensor, to: Self.comparedSide), range: 0...1)),
        side: Self.comparedSide)
    }
    return .init(
      "Found and given",
      "On the left the \(answer.best == nil ? "mean" : "best picture"), on the right the data. Draw the "
        + "lower end of the line to and fro.",
      below: figure("data", picture.shown), above: figure("found", found))
  }

  private func shrunk(_ tensor: Tensor) -> Tensor { shrunk(tensor, to: Self.shownSide) }

  /// Blocks of pixels averaged, so that no side is longer.
  private func shrunk(_ tensor: Tensor, to side: Int) -> Tensor {
    let (channels, height, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let factor = (max(height, width) + side - 1) / side
    guard factor > 1 else { return tensor }
    let (rows, columns) = (max(1, height / factor), max(1, width / factor))
    var result = Tensor(shape: Shape(channels, rows, columns))
    for channel in 0..<channels {
      for row in 0..<rows {
        for column in 0..<columns {
          var sum: Float = 0
          for y in row * factor..<min((row + 1) * factor, height) {
            let start = (channel * height + y) * width
            for x in column * factor..<min((column + 1) * factor, width) {
              sum += tensor.values[start + x]
            }
          }
          result.values[(channel * rows + row) * columns + column] = sum / Float(factor * factor)
        }
      }
    }
    return result
  }

  /// Cuts out the window whose mean variance is largest, among windows half of one apart.
  private var part: (Tensor) -> Tensor {
    let (height, width) = (picture.shown.shape[1], picture.shown.shape[2])
    let (rows, columns) = (min(height, Self.partSide), min(width, Self.partSide))
    var (best, top, left) = (-Float.infinity, 0, 0)
    for y in Swift.stride(from: 0, through: height - rows, by: max(1, rows / 2)) {
      for x in Swift.stride(from: 0, through: width - columns, by: max(1, columns / 2)) {
        var sum: Float = 0
        for row in y..<y + rows {
          for column in x..<x + columns {
            let value = answer.deviation.values[row * width + column]
            sum += value * value
          }
        }
        if sum > best { (best, top, left) = (sum, y, x) }
      }
    }
    return { [top, left] tensor in
      var values: [Float] = []
      for channel in 0..<tensor.shape[0] {
        for row in top..<top + rows {
          let start = (channel * height + row) * width + left
          values += tensor.values[start..<start + columns]
        }
      }
      return Tensor(shape: Shape(tensor.shape[0], rows, columns), values: values)
    }
  }
}
