import Foundation
import ImageFiles
import Inversion
import Networks
import Training
import Workers

/// From pictures to a model file.
public enum TrainPipeline {
  /// - Parameters:
  ///   - resumes: go on from `output`.checkpoint.
  ///   - progress: returns false to stop; the last checkpoint stays.
  /// - Returns: what was written into the file about the training.
  public static func run(
    datasets: [String], output: String, recipe: TrainingRecipe, threads: Int, resumes: Bool,
    overwrite: Bool, progress: (TrainingProgress) -> Bool
  ) throws -> TrainingRecord {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    if !overwrite, FileManager.default.fileExists(atPath: output) {
      throw ImageFileError.exists(path: output)
    }
    let parent = URL(fileURLWithPath: output).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: parent) else {
      throw ImageFileError.cannotCreate(
        path: output, reason: "its directory is missing or cannot be written")
    }
    let checkpoint = output + ".checkpoint"
    let images = try DatasetLocator.images(datasets, part: .training)
    let pool = WorkerPool(threads: threads)
    let trainer = try ModelTrainer(
      images: images, recipe: recipe, version: PAEInvert.version, pool: pool)
    if resumes { try trainer.resume(from: checkpoint) }
    guard let model = try trainer.run(checkpoint: checkpoint, progress: progress),
      let record = model.description.training
    else { throw PipelineError("interrupted; go on with --resume", exitCode: 130) }
    try model.measuringScores(images, pool: pool).write(to: output, overwrite: overwrite)
    try? FileManager.default.removeItem(atPath: checkpoint)
    return record
  }
}
