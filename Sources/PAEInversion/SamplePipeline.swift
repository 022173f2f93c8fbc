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
    let base = stream.normals(count * model.latentDimension).map { Float($0) }
    let pixels = model.imageShape.count
    var values = [Float](repeating: 0, count: count * pixels)
    var span = values.mutableSpan
    try model.generator.makePlan(lanes: count).apply(base.span, into: &span)
    if addsResidual {
      var residuals = key.child("residual").stream()
      for index in values.indices {
        let variance =
          model.intensityResidual.map { Float($0.variance.total(values[index], squaredScale: 1)) }
          ?? model.residualVariances[index % pixels]
        values[index] += variance.squareRoot() * Float(residuals.normal())
      }
    }
    let pictures = (0..<count).map {
      Tensor(shape: model.imageShape, values: Array(values[$0 * pixels..<($0 + 1) * pixels]))
    }
    let columns = max(1, Int(Double(count).squareRoot().rounded(.up)))
    let grid = PictureGrid(
      title: "prior of \(model.description.name)",
      captions: ["\(count) draws, seed \(seed)" + (addsResidual ? ", with residual" : "")],
      pictures: pictures, columns: columns)
    try Picture(tensor: grid.render()).write(to: output, overwrite: overwrite)
  }
}
