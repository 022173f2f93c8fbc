import Foundation
import Galleries
import ImageFiles
import Inversion
import Tensors

/// Writes what a solver leaves in a result folder.
struct SolutionFiles {
  let solution: Solution
  let pictures: SolutionPictures
  let report: SolveReport
  let options: SolveOptions
  let posterior: ImagePosterior

  func write(to folder: OutputFolder) throws(ImageFileError) {
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
    try folder.write(SafetensorsFile.encode(draws), to: "posterior.safetensors")
    try folder.write(Picture(tensor: gallery).encoded(), to: "gallery.png")
    try folder.write(Array(report.json.text.utf8), to: "report.json")
  }

  static func numbered(_ index: Int) -> String { String(format: "%04d.png", index + 1) }

  /// The input's depth, channels, opacity and range.
  private func encoded(_ tensor: Tensor) -> [UInt8] {
    let input = solution.picture.picture
    return Picture(
      tensor: tensor, alpha: input.alpha, bitDepth: input.bitDepth, range: input.range
    ).encoded()
  }

  /// White is the report's `std_scale`.
  private func encodedDeviation(_ tensor: Tensor) -> [UInt8] {
    let scale = Float(report.deviationScale ?? 1)
    return Picture(
      tensor: Tensor(shape: tensor.shape, values: tensor.values.map { $0 / scale }),
      bitDepth: solution.picture.picture.bitDepth
    ).encoded()
  }

  private var draws: Safetensors {
    var tensors: [Safetensors.NamedTensor] = []
    func add(_ name: String, _ tensor: Tensor?) {
      guard let tensor else { return }
      tensors.append(.init(name: name, shape: tensor.shape, values: .float32(tensor.values)))
    }
    let draws = solution.baseDraws ?? solution.bestBase
    let latent = report.latentDimension
    var base: [Double] = []
    var (sigmas, scales): ([Double], [Double]) = ([], [])
    base.reserveCapacity(draws.chains * draws.draws * latent)
    for chain in 0..<draws.chains {
      for draw in 0..<draws.draws {
        let position = draws.position(chain: chain, draw: draw)
        base += position.prefix(latent)
        let levels = posterior.levels(of: position, problem: solution.problem)
        sigmas.append(levels.sigma)
        scales.append(levels.residualScale)
      }
    }
    let shape = Shape(draws.chains, draws.draws)
    tensors.append(
      .init(name: "u", shape: Shape(draws.chains, draws.draws, latent), values: .float64(base)))
    tensors.append(
      .init(name: "log_density", shape: shape, values: .float64(draws.logDensities)))
    if report.isLevelInferred {
      tensors.append(.init(name: "sigma", shape: shape, values: .float64(sigmas)))
    }
    if posterior.residualScale != nil {
      tensors.append(.init(name: "residual_scale", shape: shape, values: .float64(scales)))
    }
    add("mean", pictures.mean)
    add("std", pictures.standardDeviation)
    add("map", pictures.map)
    return Safetensors(
      metadata: ["format": "paeinvert-posterior", "version": "1"], tensors: tensors)
  }

  private var gallery: Tensor {
    let picture = solution.picture
    let shape = pictures.map.shape
    // Where data are not pixels of the picture, what they suggest stands for them.
    let mask =
      picture.observed == nil && !picture.suggestion.isKnown.contains(false)
      ? nil : Tensor(shape: shape, values: picture.suggestion.isKnown.map { $0 ? 1 : 0 })
    return PosteriorGallery(
      title: report.title, captions: report.captions,
      data: Tensor(shape: shape, values: picture.suggestion.picture), observed: mask,
      mean: pictures.mean, standardDeviation: pictures.standardDeviation, map: pictures.map,
      truth: picture.truth, draws: pictures.draws, range: 0...1
    ).render()
  }
}
