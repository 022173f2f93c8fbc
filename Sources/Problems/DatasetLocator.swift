import Foundation
import ImageFiles
import Numerics
import Tensors
import Training

/// Finds sets of pictures by name or path.
public enum DatasetLocator {
  /// Which part of a named data set is meant.
  public enum Part: Sendable {
    case training
    case test
  }

  /// Where Debian's package `dataset-fashion-mnist` puts its files; `$PAEINVERT_DATASETS` comes first.
  static let directories = ["/usr/share/datasets"]

  /// Of the 5,000 digits in `data/mnist` the last 500 are for tests.
  private static let mnistTests = 500

  /// The pictures of a built-in name (`fashion-mnist`, `mnist`), of IDX files, or of a folder of PNGs and
  /// JPEGs, which `tiling` makes pictures of one size.
  /// - Throws: `PipelineError` or `ImageFileError` when there are none, or they differ in size.
  public static func images(_ names: [String], part: Part, tiling: Tiling = .whole) throws
    -> ImageSet
  {
    guard let first = names.first else { throw PipelineError.usage("no data set given") }
    if names.count == 1, let set = try builtIn(first, part: part) { return set }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: first, isDirectory: &isDirectory) else {
      throw PipelineError.missing(
        "no data set '\(first)': give fashion-mnist, mnist, IDX files, or a folder of pictures")
    }
    if isDirectory.boolValue {
      guard names.count == 1 else {
        throw PipelineError.usage("give one folder of pictures, or several IDX files")
      }
      return try ImageSet.readFolder(path: first, tiling: tiling)
    }
    let sets = try names.map { try IDXFile.readImages(path: $0) }
    for (set, name) in zip(sets, names) where set.shape != sets[0].shape {
      throw PipelineError.data(
        "\(name) holds pictures of \(set.shape), \(names[0]) of \(sets[0].shape): "
          + "give pictures of one size")
    }
    return sets.count == 1 ? sets[0] : ImageSet(joining: sets)
  }

  /// One test picture, for names such as `fashion-mnist:3055`; nil when `name` is not of that form.
  public static func testPicture(_ name: String) throws -> Picture? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let images = try builtIn(String(parts[0]), part: .test) else {
      return nil
    }
    guard let index = Int(parts[1]), images.indices.contains(index) else {
      throw PipelineError.usage(
        "\(name): the test pictures of \(parts[0]) are 0 to \(images.count - 1)")
    }
    return Picture(tensor: images.tensor(index))
  }

  /// The labels of a built-in name's pictures, a class number each; nil for another name.
  /// - Throws: as `images`.
  public static func labels(_ name: String, part: Part) throws -> [UInt8]? {
    switch name {
    case "fashion-mnist": return try IDXFile.readLabels(path: try fashionMNIST(part, .labels))
    case "mnist":
      let all = try IDXFile.readLabels(path: try mnist(.labels))
      let split = max(all.count - mnistTests, 0)
      return Array(part == .training ? all[..<split] : all[split...])
    default: return nil
    }
  }

  /// Whether a list of names is one built-in name, whose parts are known.
  package static func isBuiltIn(_ names: [String]) -> Bool {
    names == ["fashion-mnist"] || names == ["mnist"]
  }

  /// What an IDX file of the MNIST family holds, and how its name ends.
  private enum Content: String {
    case images = "images-idx3-ubyte.gz"
    case labels = "labels-idx1-ubyte.gz"
  }

  /// nil for a name that is none of ours.
  private static func builtIn(_ name: String, part: Part) throws -> ImageSet? {
    switch name {
    case "fashion-mnist": return try IDXFile.readImages(path: try fashionMNIST(part, .images))
    case "mnist":
      let all = try IDXFile.readImages(path: try mnist(.images))
      let split = max(all.count - mnistTests, 0)
      return part == .training ? all[0..<split] : all[split..<all.count]
    default: return nil
    }
  }

  /// A file of digits, which lies beside the models: in `data` of a checkout, or where they are installed.
  private static func mnist(_ content: Content) throws -> String {
    let file = "mnist/mnist-5k-\(content.rawValue)"
    var places = ModelLocator.directories.map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().path
    }
    if let variable = ProcessInfo.processInfo.environment["PAEINVERT_DATASETS"], !variable.isEmpty {
      places.insert(variable, at: 0)
    }
    for place in places where FileManager.default.fileExists(atPath: "\(place)/\(file)") {
      return "\(place)/\(file)"
    }
    throw PipelineError.missing(
      "\(file) is not in \(places.joined(separator: ", ")): it comes with the sources, or set "
        + "PAEINVERT_DATASETS")
  }

  private static func fashionMNIST(_ part: Part, _ content: Content) throws -> String {
    let file = (part == .training ? "train-" : "t10k-") + content.rawValue
    var places = directories
    if let variable = ProcessInfo.processInfo.environment["PAEINVERT_DATASETS"], !variable.isEmpty {
      places.insert(variable, at: 0)
    }
    for place in places {
      let path = "\(place)/fashion-mnist/\(file)"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw PipelineError.missing(
      "Fashion-MNIST is not in \(places.joined(separator: ", ")): install Debian's package "
        + "dataset-fashion-mnist (make setup does), or set PAEINVERT_DATASETS")
  }
}

extension ImageSet {
  var indices: Range<Int> { 0..<count }

  /// The pictures of several sets of one shape, as bytes where all are bytes, else as intensities.
  init(joining sets: [ImageSet]) {
    precondition(!sets.isEmpty && sets.allSatisfy { $0.shape == sets[0].shape })
    let count = sets.reduce(0) { $0 + $1.count }
    var bytes: [UInt8] = []
    for set in sets {
      guard case .bytes(let values) = set.storage else {
        let values = sets.flatMap { set in set.indices.flatMap { set.tensor($0).values } }
        self.init(shape: sets[0].shape, count: count, storage: .floats(values))
        return
      }
      bytes += values
    }
    self.init(shape: sets[0].shape, count: count, storage: .bytes(bytes))
  }
}
