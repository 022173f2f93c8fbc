import Foundation
import Galleries
import ImageFiles
import Inversion
import Maps
import Problems
import Randomness
import Solving
import Tensors

/// Pictures from the prior, as a gallery: of one model, or of several side by side.
public enum SamplePipeline {
  /// Pictures of each model when none are asked for, and columns of the gallery of several.
  private static let usualCount = 64, usualCountOfSeveral = 14, widest = 14

  /// - Parameters:
  ///   - models: names or paths; of several, whose pictures have one shape, each has rows of its own.
  ///   - count: how many of each, 1 to 4096.
  ///   - addsResidual: whether the decoder's own error ε is drawn too, or G(u) shown as it is.
  public static func run(
    models names: [String], count: Int?, addsResidual: Bool, seed: UInt64, output: String,
    overwrite: Bool
  ) throws {
    let isOne = names.count == 1
    let count = count ?? (isOne ? usualCount : usualCountOfSeveral)
    guard (1...4096).contains(count) else { throw PipelineError.usage("-n must be 1 to 4096") }
    let models = try names.map { try PAEModel.read(path: try ModelLocator.path(of: $0)) }
    guard let first = models.first else { throw PipelineError.usage("no model is named") }
    for (name, model) in zip(names, models) where model.imageShape != first.imageShape {
      throw PipelineError.usage(
        "the pictures of \(name) are \(model.imageShape), those of \(names[0]) "
          + "\(first.imageShape): models side by side have pictures of one shape")
    }
    let drawn = try models.map {
      try draw(from: $0, count: count, addsResidual: addsResidual, seed: seed)
    }
    let caption = "\(count) draws\(isOne ? "" : " each"), seed \(seed)"
    let captions = [caption + (addsResidual ? ", with residual" : "")]
    let grid: PictureGrid
    if isOne {
      grid = PictureGrid(
        title: "prior of \(first.description.name)", captions: captions, pictures: drawn[0])
    } else {
      let rows = drawn.map { PictureGrid(pictures: $0, columns: min(count, widest)).rows }
      let labels = zip(models, rows).flatMap { model, rows in
        rows.indices.map { $0 == 0 ? model.description.name : "" }
      }
      grid = PictureGrid(
        title: "priors side by side", captions: captions, rows: Array(rows.joined()),
        rowLabels: labels)
    }
    try Picture(tensor: grid.render()).write(to: output, overwrite: overwrite)
  }

  private static func draw(
    from model: PAEModel, count: Int, addsResidual: Bool, seed: UInt64
  ) throws -> [Tensor] {
    let key = RandomKey(seed: seed).child("sample")
    var stream = key.child("base").stream()
    let base = (0..<count).map { _ in stream.normals(model.latentDimension) }
    var pictures = try model.pictures(ofBase: base)
    if addsResidual {
      let law =
        model.intensityResidual.map { ResidualPrior.intensity($0.variance) }
        ?? .covariance(model.residual)
      var residuals = key.child("residual").stream()
      for index in pictures.indices {
        let residual = law.draw(pictures[index], scale: 1, stream: &residuals)
        pictures[index] = zip(pictures[index], residual).map { $0 + $1 }
      }
    }
    return pictures.map { Tensor(shape: model.imageShape, values: $0) }
  }
}
