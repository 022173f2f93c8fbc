import Foundation
import ImageFiles
import Inversion
import Networks
import Problems
import Training
import Workers

/// From pictures to a model file.
public enum TrainPipeline {
  /// - Parameters:
  ///   - request: what of the recipe is given; the rest follows from the pictures.
  ///   - tiling: how the pictures of a folder become pictures of one size.
  ///   - autoencoder: a model whose autoencoder is kept, by name or path; nil where all is trained.
  ///   - resumes: go on from `output`.checkpoint.
  ///   - progress: returns false to stop; the last checkpoint stays.
  /// - Returns: K, and what was written into the file about the training.
  public static func run(
    datasets: [String], output: String, recipe: TrainingRecipe, request: RecipeRequest,
    tiling: Tiling = .auto, autoencoder: String? = nil, threads: Int, resumes: Bool,
    overwrite: Bool, progress: (TrainingProgress) -> Bool
  ) throws -> (latent: Int, record: TrainingRecord) {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    try requireWritable(output, overwrite: overwrite)
    let checkpoint = checkpoint(of: output)
    if FileManager.default.fileExists(atPath: checkpoint) {
      guard resumes || overwrite else {
        throw PipelineError(
          "\(checkpoint) is a training that was interrupted: go on with --resume, or give -f to begin "
            + "anew and lose it", exitCode: 73)
      }
    } else if resumes {
      throw PipelineError.missing(
        "there is no \(checkpoint) to go on from: leave out --resume")
    }
    var recipe = recipe
    let kept = try autoencoder.map { name in
      let path = try ModelLocator.path(of: name)
      let model = try PAEModel.read(path: path)
      try recipe.keepAutoencoder(of: model, digest: SHA256.hexDigest(ofFile: path))
      return model
    }
    let images = try DatasetLocator.images(datasets, part: .training, tiling: tiling)
    try recipe.adapt(to: images, request)
    let pool = WorkerPool(threads: threads)
    let trainer = try ModelTrainer(
      images: images, recipe: recipe, keeping: kept, version: PAEInvert.version, pool: pool)
    if resumes { try trainer.resume(from: checkpoint) }
    guard let model = try trainer.run(checkpoint: checkpoint, progress: progress),
      let record = model.description.training
    else { throw PipelineError("interrupted; go on with --resume", exitCode: 130) }
    guard progress(TrainingProgress(beginning: .scores)) else {
      throw PipelineError("interrupted; go on with --resume", exitCode: 130)
    }
    try model.measuringScores(images, pool: pool).write(to: output, overwrite: overwrite)
    try? FileManager.default.removeItem(atPath: checkpoint)
    return (model.latentDimension, record)
  }

  /// Where a training keeps what it needs to go on after a break.
  public static func checkpoint(of output: String) -> String { output + ".checkpoint" }

  /// - Throws: `ImageFileError` where no file could be written later, so that no work is lost.
  static func requireWritable(_ output: String, overwrite: Bool) throws(ImageFileError) {
    if !overwrite, FileManager.default.fileExists(atPath: output) { throw .exists(path: output) }
    let parent = URL(fileURLWithPath: output).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: parent) else {
      throw .cannotCreate(path: output, reason: "its directory is missing or cannot be written")
    }
  }
}
