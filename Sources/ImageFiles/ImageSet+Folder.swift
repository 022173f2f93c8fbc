import Foundation
import Tensors

extension ImageSet {
  /// The most elements that a folder may hold, all pictures together.
  static let maximumFolderElements = 1 << 31

  /// Endings of the names that are read, in small letters.
  static let pictureEndings = ["png", "jpg", "jpeg"]

  /// Reads all PNG and JPEG files of a folder and its subfolders, sorted by path. The set is grey when all
  /// pictures are, stored as grey or with R = G = B everywhere; else RGB, with grey pictures in three
  /// equal channels. Opacity is not read. Stored as bytes when every picture has 8 bits and range 0…1.
  ///
  /// - Throws: `.missing` when the folder cannot be listed; `.badData` when it holds no such file, a
  ///   picture that cannot be read, that is smaller than a tile, or without tiles differs in size.
  public static func readFolder(
    path: String, tiling: Tiling = .whole
  ) throws(ImageFileError) -> ImageSet {
    let names = try pictureNames(path)
    let folder = path.hasSuffix("/") ? path : path + "/"
    var sizes: [PictureSize] = []
    for name in names { sizes.append(try PictureSize(path: folder + name)) }
    let side = tiling.side(heights: sizes.map(\.height), widths: sizes.map(\.width))
    for (name, size) in zip(names, sizes) {
      if let side {
        guard min(size.height, size.width) >= side else {
          throw .badData(
            path: folder + name,
            reason: "its \(size.width)×\(size.height) pixels are less than a tile of \(side): "
              + "give --tile \(min(size.height, size.width)) or take it out")
        }
      } else if size != sizes[0] {
        throw .badData(
          path: folder + name,
          reason: "it is \(size.width)×\(size.height) but \(names[0]) is "
            + "\(sizes[0].width)×\(sizes[0].height) pixels; whole pictures must have one size, "
            + "others are cut by --tile N")
      }
    }
    let most = max(1, Tiling.maximumTiles / names.count)
    let corners = sizes.map {
      side == nil
        ? [(row: 0, column: 0)]
        : Tiling.corners(height: $0.height, width: $0.width, side: side!, most: most)
    }
    let (height, width) = (side ?? sizes[0].height, side ?? sizes[0].width)
    let count = corners.reduce(0) { $0 + $1.count }
    guard count * 3 * height * width <= maximumFolderElements else {
      throw .badData(path: path, reason: "its \(names.count) pictures are too many to hold")
    }
    var cuts = Cuts(height: height, width: width)
    for (name, corners) in zip(names, corners) {
      cuts.add(try Picture.read(path: folder + name), corners: corners)
    }
    let sources = zip(names.indices, corners).flatMap { index, corners in
      corners.map { _ in index }
    }
    return ImageSet(
      shape: cuts.shape, count: count, storage: cuts.storage,
      sources: side == nil ? nil : sources)
  }

  /// Paths below the folder; what begins with a dot is hidden.
  private static func pictureNames(_ path: String) throws(ImageFileError) -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue,
      let listed = FileManager.default.enumerator(atPath: path)
    else { throw .missing(path: path, reason: "it cannot be listed as a folder") }
    let all = listed.compactMap { $0 as? String }
    let names = all.filter { name in
      pictureEndings.contains((name as NSString).pathExtension.lowercased())
        && !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    guard !names.isEmpty else {
      throw .badData(path: path, reason: "the folder holds no PNG or JPEG files" + found(all))
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
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
      : ", but \(count) .\(ending): convert them to PNG or JPEG"
  }
}

/// What has been cut so far, in as few channels and bytes as all of it allows.
private struct Cuts {
  let height: Int
  let width: Int
  private var channels = 1
  private var isCompact = true
  private var bytes: [UInt8] = []
  private var floats: [Float] = []

  init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

  var shape: Shape { Shape(channels, height, width) }
  var storage: ImageSet.Storage { isCompact ? .bytes(bytes) : .floats(floats) }

  mutating func add(_ picture: Picture, corners: [(row: Int, column: Int)]) {
    let isGrey = picture.tensor.shape[0] == 1 || picture.tensor.hasEqualChannels
    if channels == 1, !isGrey {
      bytes = Self.tripled(bytes, pixels: height * width)
      floats = Self.tripled(floats, pixels: height * width)
      channels = 3
    }
    if isCompact, picture.bitDepth != 8 || picture.range != 0...1 {
      floats = bytes.map { Float($0) / 255 }
      bytes = []
      isCompact = false
    }
    let plane = picture.height * picture.width
    for corner in corners {
      for channel in 0..<channels {
        let first = picture.tensor.shape[0] == 1 ? 0 : channel * plane
        for row in corner.row..<corner.row + height {
          let start = first + row * picture.width + corner.column
          let values = picture.tensor.values[start..<start + width]
          if isCompact {
            bytes += values.lazy.map { UInt8(($0 * 255).rounded()) }
          } else {
            floats += values
          }
        }
      }
    }
  }

  /// Each grey picture three times in a row.
  private static func tripled<Value>(_ values: [Value], pixels: Int) -> [Value] {
    stride(from: 0, to: values.count, by: pixels).flatMap { start in
      let picture = values[start..<start + pixels]
      return [picture, picture, picture].joined()
    }
  }
}

extension Tensor {
  /// Whether all channels of a C×H×W picture hold the same numbers.
  fileprivate var hasEqualChannels: Bool {
    let plane = shape[1] * shape[2]
    return (1..<shape[0]).allSatisfy { channel in
      values[..<plane].elementsEqual(values[channel * plane..<(channel + 1) * plane])
    }
  }
}
