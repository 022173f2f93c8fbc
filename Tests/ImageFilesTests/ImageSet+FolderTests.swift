import Foundation
import Tensors
import Testing

@testable import ImageFiles

@Suite("folders of pictures")
struct ImageSetFolderTests {
  func picture(
    _ values: [Float], bitDepth: Int = 8, range: ClosedRange<Double> = 0...1
  ) throws -> [UInt8] {
    try Picture(
      tensor: Tensor(shape: Shape(1, 1, values.count), values: values), bitDepth: bitDepth,
      range: range
    ).encoded()
  }

  @Test("pictures come sorted by name, as bytes")
  func sorted() throws {
    let folder = TemporaryFolder()
    _ = folder.put("b.png", try picture([1, 0]))
    _ = folder.put("a.PNG", try picture([0.2, 0.4]))
    _ = folder.put("notes.txt", [1])
    _ = folder.put(".hidden.png", [1])
    let set = try ImageSet.readFolder(path: folder.path)
    #expect(set == ImageSet(shape: Shape(1, 1, 2), count: 2, storage: .bytes([51, 102, 255, 0])))
  }

  @Test("16 bits or another range make it floats, earlier pictures kept")
  func floats() throws {
    let folder = TemporaryFolder()
    _ = folder.put("1.png", try picture([0.2, 1]))
    _ = folder.put("2.png", try picture([3, -1], range: -1...3))
    _ = folder.put("3.png", try picture([0, 1], bitDepth: 16))
    let set = try ImageSet.readFolder(path: folder.path)
    #expect(set.storage == .floats([0.2, 1, 3, -1, 0, 1]))
  }

  @Test("another size is an error that names the file and both sizes")
  func sizes() throws {
    let folder = TemporaryFolder()
    _ = folder.put("1.png", try picture([0, 1]))
    _ = folder.put("2.png", try picture([0, 1, 1]))
    let error = failure { _ = try ImageSet.readFolder(path: folder.path + "/") }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains("/2.png: it is 3×1 but 1.png is 2×1 pixels") == true)
    #expect(error?.description.contains("--tile") == true)
  }

  private func colour(_ values: [Float]) throws -> [UInt8] {
    try Picture(tensor: Tensor(shape: Shape(3, 1, values.count / 3), values: values)).encoded()
  }

  @Test("subfolders count, hidden ones do not; JPEG and PNG go together")
  func subfolders() throws {
    let folder = TemporaryFolder()
    for name in ["b", ".c"] {
      try FileManager.default.createDirectory(
        atPath: folder.path + "/" + name, withIntermediateDirectories: true)
    }
    _ = folder.put("b/2.jpeg", JPEGFiles.grey)
    _ = folder.put("a.JPG", JPEGFiles.grey)
    _ = folder.put(".c/3.jpg", JPEGFiles.grey)
    _ = folder.put(
      "c.png", try Picture(tensor: Tensor(shape: Shape(1, 8, 16))).encoded())
    let set = try ImageSet.readFolder(path: folder.path)
    #expect(set.count == 3 && set.shape == Shape(1, 8, 16))
    #expect(set.tensor(2).values.allSatisfy { $0 == 0 })
    #expect(set.tensor(0) == set.tensor(1))
  }

  /// Meant to catch: earlier grey pictures not tripled; R = G compared alone.
  @Test("R = G = B everywhere is grey; one coloured picture makes all coloured")
  func greyness() throws {
    let folder = TemporaryFolder()
    _ = folder.put("1.png", try colour([0, 1, 0, 1, 0, 1]))
    _ = folder.put("2.png", try picture([1, 0.2]))
    let grey = try ImageSet.readFolder(path: folder.path)
    #expect(grey == ImageSet(shape: Shape(1, 1, 2), count: 2, storage: .bytes([0, 255, 255, 51])))
    _ = folder.put("3.png", try colour([0, 1, 0, 1, 0.2, 1]))
    let set = try ImageSet.readFolder(path: folder.path)
    #expect(set.shape == Shape(3, 1, 2))
    #expect(
      set.storage
        == .bytes(
          [0, 255, 0, 255, 0, 255] + [255, 51, 255, 51, 255, 51] + [0, 255, 0, 255, 51, 255]))
  }

  /// Meant to catch: the row stride that of the tile.
  @Test("tiles of larger pictures of several sizes, each with the number of its file")
  func tiles() throws {
    let folder = TemporaryFolder()
    func ramp(_ height: Int, _ width: Int) throws -> [UInt8] {
      try Picture(
        tensor: Tensor(
          shape: Shape(1, height, width),
          values: (0..<height * width).map { Float($0) / 255 })
      ).encoded()
    }
    _ = folder.put("1.png", try ramp(2, 4))
    _ = folder.put("2.png", try ramp(3, 2))
    let set = try ImageSet.readFolder(path: folder.path, tiling: .side(2))
    #expect(set.sources == [0, 0, 1] && set.shape == Shape(1, 2, 2))
    #expect(set.storage == .bytes([0, 1, 4, 5, 2, 3, 6, 7, 0, 1, 2, 3]))
    #expect(set[1..<3].sources == [0, 1])
    let error = failure { _ = try ImageSet.readFolder(path: folder.path, tiling: .side(3)) }
    #expect(error?.exitCode == 65 && error?.description.contains("--tile 2") == true)
    let automatic = failure { _ = try ImageSet.readFolder(path: folder.path, tiling: .auto) }
    #expect(automatic?.description.contains("less than a tile of 32") == true)
  }

  @Test("no folder is 66, no pictures 65")
  func empty() {
    let folder = TemporaryFolder()
    #expect(failure { _ = try ImageSet.readFolder(path: folder.path + "/x") }?.exitCode == 66)
    #expect(failure { _ = try ImageSet.readFolder(path: folder.path) }?.exitCode == 65)
  }
}
