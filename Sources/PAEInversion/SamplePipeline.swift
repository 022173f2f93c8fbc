import Foundation
import Galleries
import ImageFiles
import Inversion
import Maps
import Randomness
import Tensors

/// Pictures from the prior, as a gallery.
public enum SamplePipeline {
  /// - Parameters:
  ///   - count: how many, 1 to 4096.
  ///   - addsResidual: whether the decoder's own error ε is drawn too, or G(u) shown as it is.
  public static func run(
    model name: String, count: Int, addsResidual: Bool, seed: UInt64, output: String,
    overwrite: Bool
  ) throws {
    guard (1...4096).contains(count) else { throw PipelineError.usage("-n must be 1 to 4096") }
    let model = try PAEModel.read(path: try ModelLocator.path(of: name))
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
    let columns = max(1, Int(Double(count).squareRoot().rounded(.up)))
    let grid = PictureGrid(
      title: "prior of \(model.description.name)",
      captions: ["\(count) draws, seed \(seed)" + (addsResidual ? ", with residual" : "")],
      pictures: pictures.map { Tensor(shape: model.imageShape, values: $0) },
      columns: columns)
    try Picture(tensor: grid.render()).write(to: output, overwrite: overwrite)
  }
}
