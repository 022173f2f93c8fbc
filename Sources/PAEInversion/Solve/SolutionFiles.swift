import Foundation
import Galleries
import ImageFiles
import Inversion
import Problems
import Sampling
import Solving
import Tensors

/// Writes what a solver leaves in a result folder.
struct SolutionFiles {
  let solved: InverseSolution
  let report: SolveReport
  private var solution: Solution { solved.solution }
  private var pictures: SolutionPictures { solved.pictures }
  private var options: SolveOptions { report.options }

  func write(to folder: OutputFolder) throws {
    try folder.write(encoded(pictures.map), to: "map.png")
    if let mean = pictures.mean, let deviation = pictures.standardDeviation {
      try folder.write(encoded(mean), to: "mean.png")
      try folder.write(encodedDeviation(deviation), to: "std.png")
    }
    for (index, draw) in pictures.draws.enumerated() {
      try folder.write(encoded(draw), to: "samples/" + Self.numbered(index))
    }
    for (index, mode) in pictures.modes.enumerated() {
      try folder.write(encoded(mode), to: "modes/" + Self.numbered(index))
    }
    for (index, group) in pictures.groups.enumerated() {
      try folder.write(encoded(group), to: "groups/" + Self.numbered(index))
    }
    let draws = solved.baseDraws
    try folder.write(SafetensorsFile.encode(safetensors(draws)), to: "posterior.safetensors")
    if let run = solution.run {
      let content = drawsFile(draws, run).content
      try folder.write(
        NetCDFFile.encode(content, path: folder.path + "/draws.nc"), to: "draws.nc")
    }
    try folder.write(Picture(tensor: gallery).encoded(), to: "gallery.png")
    try folder.write(Array(report.json.text.utf8), to: "report.json")
    let page = SolutionPage(solved: solved, report: report)
    try folder.write(Array(page.html().utf8), to: "report.html")
  }

  static func numbered(_ index: Int) -> String { String(format: "%04d.png", index + 1) }

  private var form: ResultForm { solution.picture.form }

  /// The input's depth, channels, opacity and units.
  private func encoded(_ tensor: Tensor) throws -> [UInt8] { try form.encoded(tensor) }

  /// White is the report's `std_scale`.
  private func encodedDeviation(_ tensor: Tensor) throws -> [UInt8] {
    try form.encodedDeviation(
      form.deviationInUnits(tensor), white: report.deviationScale ?? 1)
  }

  private func safetensors(_ draws: SolutionDraws) -> Safetensors {
    let summaries = [
      ("mean", pictures.mean.map(form.inUnits)),
      ("std", pictures.standardDeviation.map(form.deviationInUnits)),
      ("map", form.inUnits(pictures.map)),
    ]
    let tensors = summaries.compactMap { name, tensor in
      tensor.map {
        Safetensors.NamedTensor(name: name, shape: $0.shape, values: .float32($0.values))
      }
    }
    return Safetensors(
      metadata: ["format": "paeinvert-posterior", "version": "1"],
      tensors: draws.tensors + tensors)
  }

  private func drawsFile(_ draws: SolutionDraws, _ run: PosteriorRun) -> DrawsFile {
    var attributes: [NetCDF.Attribute] = [
      .init("command", report.command), .init("seed", String(options.seed)),
      .init("method", run.method.rawValue), .init("space", options.space.rawValue),
      .init("model", report.modelName),
    ]
    if let digest = report.modelDigest { attributes.append(.init("model_sha256", digest)) }
    return DrawsFile(
      draws: draws,
      statistics: .init(
        logDensities: run.draws.logDensities,
        chains: run.chains.map {
          .init(records: $0.records, stepSize: $0.stepSize, hasTree: run.method == .nuts)
        }),
      data: .init(
        values: form.inUnits(
          Tensor(shape: solved.batch.forward.dataShape, values: solution.picture.values)
        ).values,
        kinds: solution.picture.kinds, shape: solved.batch.forward.dataShape),
      samples: pictures.draws.map(form.inUnits),
      attributes: attributes)
  }

  private var gallery: Tensor {
    let (data, observed) = solution.picture.shown(in: pictures.map.shape)
    return PosteriorGallery(
      title: report.title, captions: report.captions,
      data: data, observed: observed,
      mean: pictures.mean, standardDeviation: pictures.standardDeviation, map: pictures.map,
      truth: solution.picture.truth, draws: pictures.draws, range: 0...1
    ).render()
  }
}
