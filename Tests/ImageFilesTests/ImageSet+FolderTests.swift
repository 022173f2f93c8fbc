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
    #expect(error?.description.contains("/2.png: it is 1×1×3 but 1.png is 1×1×2") == true)
  }

  @Test("no folder is 66, no pictures 65")
  func empty() {
    let folder = TemporaryFolder()
    #expect(failure { _ = try ImageSet.readFolder(path: folder.path + "/x") }?.exitCode == 66)
    #expect(failure { _ = try ImageSet.readFolder(path: folder.path) }?.exitCode == 65)
  }
}
