import Foundation
import Tensors

extension ImageSet {
  /// The most elements that a folder may hold, all pictures together.
  static let maximumFolderElements = 1 << 31

  /// Reads all PNG files of a folder (not of its subfolders), sorted by name: all grey or all RGB, all
  /// of one size. Opacity is not read. Stored as bytes when every picture has 8 bits and range 0…1.
  ///
  /// - Throws: `.missing` when the folder cannot be listed; `.badData` when it holds no PNG file or
  ///   a picture that cannot be read or differs in size or channels from the first.
  public static func readFolder(path: String) throws(ImageFileError) -> ImageSet {
    guard let listed = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .missing(path: path, reason: "it cannot be listed as a folder")
    }
    let names = listed.filter { $0.lowercased().hasSuffix(".png") && !$0.hasPrefix(".") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard let firstName = names.first else {
      throw .badData(path: path, reason: "the folder holds no PNG files" + found(listed))
    }
    let folder = path.hasSuffix("/") ? path : path + "/"
    var shape: Shape?
    var compact = true
    var bytes: [UInt8] = []
    var floats: [Float] = []
    for name in names {
      let picture = try Picture.read(path: folder + name)
      let expected = shape ?? picture.tensor.shape
      guard picture.tensor.shape == expected else {
        throw .badData(
          path: folder + name,
          reason: "it is \(picture.tensor.shape) but \(firstName) is \(expected) (C×H×W); "
            + "all pictures of a folder must agree")
      }
      guard names.count * expected.count <= maximumFolderElements else {
        throw .badData(path: path, reason: "its \(names.count) pictures are too many to hold")
      }
      shape = expected
      if compact, picture.bitDepth == 8, picture.range == 0...1 {
        bytes += picture.tensor.values.lazy.map { UInt8(($0 * 255).rounded()) }
      } else {
        if compact { floats = bytes.map { Float($0) / 255 } }
        compact = false
        floats += picture.tensor.values
      }
    }
    return ImageSet(
      shape: shape!, count: names.count, storage: compact ? .bytes(bytes) : .floats(floats))
  }

  /// What else a folder holds, by the endings of the names.
  private static func found(_ names: [String]) -> String {
    let endings = names.filter { !$0.hasPrefix(".") }.map {
      ($0 as NSString).pathExtension.lowercased()
    }
    let counts = Dictionary(endings.map { ($0, 1) }, uniquingKeysWith: +)
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard let (ending, count) = counts.first.map({ ($0.key, $0.value) }) else {
      return ": it is empty"
    }
    return ending.isEmpty
      ? ", but \(count) files without an ending or folders"
      : ", but \(count) .\(ending): convert them to PNG"
  }
}
