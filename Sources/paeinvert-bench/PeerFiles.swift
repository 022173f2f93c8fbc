import Foundation
import ImageFiles
import Inversion
import PAEInversion

/// What programs of other makers need for the same work: the InfoGAN-like model and the fixed problem.
enum PeerFiles {
  /// Writes `infogan.safetensors` and `problem.safetensors` into `folder`, which is made if need be.
  /// - Returns: the paths.
  static func write(to folder: String, overwrite: Bool) throws -> [String] {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ImageFileError.cannotCreate(path: folder, reason: "it cannot be made a directory")
    }
    let (model, problem) = (folder + "/infogan.safetensors", folder + "/problem.safetensors")
    // Refuse before the work, not between the files.
    for path in [model, problem]
    where !overwrite && FileManager.default.fileExists(atPath: path) {
      throw ImageFileError.exists(path: path)
    }
    let temporary = try TemporaryFolder()
    let tensors = try FixedProblem(in: temporary.path).tensors()
    try BenchmarkModel.infogan().model.write(to: model, overwrite: overwrite)
    try SafetensorsFile.write(tensors, to: problem, overwrite: overwrite)
    return [model, problem]
  }
}
