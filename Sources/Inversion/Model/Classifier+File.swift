import ImageFiles
import Networks
import Tensors

/// The classifier's file: safetensors with `format` = `paeinvert-classifier`, and the tensors
/// `classifier.{layer}.{array}`.
extension Classifier {
  /// The most classes and features that a reader is ready to hold.
  static let largestClasses = 1000
  static let largestFeatures = 4096

  /// Reads a classifier as strictly as a model is read.
  /// - Throws: `ImageFileError.missing` or `.badData`.
  public static func read(path: String) throws(ImageFileError) -> Classifier {
    try Classifier(file: SafetensorsFile.read(path: path))
  }

  /// Writes a sibling, then renames.
  /// - Throws: `ImageFileError` when `path` exists and `overwrite` is false, or on an I/O failure.
  public func write(to path: String, overwrite: Bool) throws(ImageFileError) {
    try SafetensorsFile.write(encodedFile(), to: path, overwrite: overwrite)
  }

  init(file: Safetensors) throws(ImageFileError) {
    var reader = try ModelFileReader(file, kind: .classifier)
    let description = try reader.config(ClassifierDescription.self)
    try reader.check(description.image)
    guard (2...Self.largestClasses).contains(description.classes) else {
      throw reader.bad("it has \(description.classes) classes, not 2 to \(Self.largestClasses)")
    }
    let network = try reader.network(
      "classifier", description.image.shape, description.layers)
    try file.requireOnly(reader.names)
    do throws(ModelError) {
      try self.init(description: description, network: network)
    } catch {
      throw reader.bad("\(error)")
    }
    guard features.codomain.count <= Self.largestFeatures else {
      throw reader.bad(
        "it has \(features.codomain.count) features, more than \(Self.largestFeatures)")
    }
  }

  /// The file's content; the same classifier gives the same bytes.
  func encodedFile() -> Safetensors {
    Safetensors(
      .classifier, config: description, tensors: Safetensors.weights("classifier", network))
  }
}
