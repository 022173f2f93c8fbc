import Foundation
import ImageFiles
import Inversion
import Problems
import Training
import Workers

/// From pictures and their labels to a classifier's file.
public enum TrainClassifierPipeline {
  /// - Parameters:
  ///   - datasets: as for training a model.
  ///   - labels: IDX files of labels in the order of the pictures; empty for a built-in name, whose own
  ///     are taken.
  ///   - progress: returns false to stop.
  /// - Returns: what was written into the file about the training. Of a built-in name the test
  ///   pictures' accuracy is part of it, measured once, when the weights are fixed.
  public static func run(
    datasets: [String], labels: [String], output: String, recipe: ClassifierRecipe, threads: Int,
    overwrite: Bool, progress: (TrainingProgress) -> Bool
  ) throws -> ClassifierRecord {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    try TrainPipeline.requireWritable(output, overwrite: overwrite)
    let images = try DatasetLocator.images(datasets, part: .training)
    let pool = WorkerPool(threads: threads)
    let trainer = try ClassifierTrainer(
      images: images, labels: try self.labels(datasets, files: labels), recipe: recipe,
      version: PAEInvert.version, pool: pool)
    guard let trained = try trainer.run(progress: progress) else {
      throw PipelineError("interrupted", exitCode: 130)
    }
    var description = trained.description
    if labels.isEmpty, let testLabels = try DatasetLocator.labels(datasets[0], part: .test) {
      let tests = try DatasetLocator.images(datasets, part: .test)
      description.training?.testAccuracy = try ClassifierMeasurements(
        tests, labels: testLabels, network: trained.network, pool: pool
      ).accuracy
    }
    let classifier = try Classifier(description: description, network: trained.network)
    try classifier.write(to: output, overwrite: overwrite)
    guard let record = description.training else {
      preconditionFailure("a trainer leaves a record")
    }
    return record
  }

  private static func labels(_ datasets: [String], files: [String]) throws -> [UInt8] {
    if datasets.count == 1, let own = try DatasetLocator.labels(datasets[0], part: .training) {
      guard files.isEmpty else {
        throw PipelineError.usage("\(datasets[0]) brings its own labels: leave out --labels")
      }
      return own
    }
    guard !files.isEmpty else {
      throw PipelineError.usage(
        "--labels is needed: IDX files with the classes of the pictures, in their order")
    }
    return try files.flatMap { try IDXFile.readLabels(path: $0) }
  }
}
