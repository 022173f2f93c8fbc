import Foundation
import ImageFiles
import Inversion

/// Finds model files by name or path.
public enum ModelLocator {
  /// The default of `--model`.
  public static let defaultName = "fashion-mnist"
  /// Leaves it to the picture's size and channels (`ModelChoice`).
  public static let automaticName = "auto"
  /// The default of `--classifier`.
  public static let defaultClassifier = "fashion-mnist-classifier"

  /// The file of a model: `nameOrPath` itself when it has a "/" or ends in ".safetensors"; else
  /// NAME.safetensors in `$PAEINVERT_MODELS`, in `data/models` of a checkout that the program or the
  /// working directory lies in, and in `share/paeinvert/models` beside the program's prefix.
  /// - Throws: `PipelineError.missing` that names the places looked at.
  public static func path(of nameOrPath: String) throws -> String {
    try path(of: nameOrPath, kind: "model", option: "--model")
  }

  /// The file of a classifier, found as a model is.
  public static func classifierPath(of nameOrPath: String) throws -> String {
    try path(of: nameOrPath, kind: "classifier", option: "--classifier")
  }

  private static func path(
    of nameOrPath: String, kind: String, option: String
  ) throws -> String {
    if nameOrPath.contains("/") || nameOrPath.hasSuffix(".safetensors") {
      guard FileManager.default.fileExists(atPath: nameOrPath) else {
        throw PipelineError.missing("no \(kind) file at \(nameOrPath); check \(option)")
      }
      return nameOrPath
    }
    let places = directories
    for directory in places {
      let path = directory + "/\(nameOrPath).safetensors"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw PipelineError.missing(
      "no \(kind) '\(nameOrPath)' in \(places.joined(separator: ", ")); give \(option) a path, "
        + "or set PAEINVERT_MODELS")
  }

  static var directories: [String] {
    var result: [String] = []
    if let variable = ProcessInfo.processInfo.environment["PAEINVERT_MODELS"], !variable.isEmpty {
      result.append(variable)
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    for start in [here, program.deletingLastPathComponent()] {
      var directory = start
      for _ in 0..<6 {
        let marker = directory.appendingPathComponent("Package.swift").path
        let models = directory.appendingPathComponent("data/models").path
        if FileManager.default.fileExists(atPath: marker),
          FileManager.default.fileExists(atPath: models), !result.contains(models)
        {
          result.append(models)
        }
        directory.deleteLastPathComponent()
      }
    }
    result.append(
      program.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("share/paeinvert/models").path)
    return result
  }
}
