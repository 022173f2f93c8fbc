import Foundation
import ImageFiles
import Inversion
import Problems
import Training
import Workers

/// From a model file and the pictures it was trained on to one with its residual fitted again and
/// the quantiles of scores measured.
public enum RefitPipeline {
  /// - Returns: what was written into the file.
  public static func run(
    datasets: [String], model name: String, output: String, tiling: Tiling = .auto, threads: Int,
    overwrite: Bool
  ) throws -> ModelDescription {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    if !overwrite, FileManager.default.fileExists(atPath: output) {
      throw ImageFileError.exists(path: output)
    }
    let model = try PAEModel.read(path: ModelLocator.path(of: name))
    let images = try DatasetLocator.images(datasets, part: .training, tiling: tiling)
    let pool = WorkerPool(threads: threads)
    let refitted = try model.refittingResidual(images: images, pool: pool)
      .measuringScores(images, pool: pool)
    try refitted.write(to: output, overwrite: overwrite)
    return refitted.description
  }
}
