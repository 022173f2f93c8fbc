import Foundation
import Testing

@testable import ImageFiles

@Suite("result folders", .serialized)
struct OutputFolderTests {
  let folder = TemporaryFolder()
  var target: String { folder.path + "/out" }

  @Test("nothing is there before the commit, everything after")
  func commit() throws {
    let output = try OutputFolder(path: target + "/", overwrite: false)
    try output.write([1], to: "report.json")
    try output.write([2], to: "samples/0001.png")
    try output.write([3], to: "samples/0002.png")
    #expect(!folder.names.contains("out"))
    try output.commit()
    #expect(folder.names == ["out"])
    #expect(folder.bytes("out/report.json") == [1])
    #expect(folder.bytes("out/samples/0002.png") == [3])
  }

  @Test("without a commit nothing is left")
  func dropped() throws {
    do {
      let output = try OutputFolder(path: target, overwrite: false)
      try output.write([1], to: "a/b/c")
      // The folder and its lock, both hidden.
      #expect(folder.names.count == 2 && folder.names.allSatisfy { $0.hasPrefix(".out.") })
    }
    #expect(folder.names == [])
  }

  // Fails when: the lock is not taken, or not given back.
  @Test(
    "of two at once into one folder the second is refused, and the first is whole",
    arguments: [false, true])
  func twoAtOnce(_ overwrite: Bool) throws {
    let first = try OutputFolder(path: target, overwrite: overwrite)
    try first.write([1], to: "report.json")
    let refusal = failure { _ = try OutputFolder(path: target, overwrite: overwrite) }
    #expect(refusal == .busy(path: target) && refusal?.exitCode == 75)
    // Another folder beside it is another matter.
    try OutputFolder(path: target + "2", overwrite: false).commit()
    try first.commit()
    #expect(folder.names == ["out", "out2"] && folder.bytes("out/report.json") == [1])
    let second = try OutputFolder(path: target, overwrite: true)
    try second.write([2], to: "report.json")
    try second.commit()
    #expect(folder.names == ["out", "out2"] && folder.bytes("out/report.json") == [2])
  }

  // Fails when: the file alone is looked at, and not who holds it.
  @Test("a lock that a killed process left is none") func leftLock() throws {
    _ = folder.put(".out.lock", [])
    let output = try OutputFolder(path: target, overwrite: false)
    try output.write([1], to: "report.json")
    try output.commit()
    #expect(folder.names == ["out"])
  }

  @Test("an existing folder stays without overwrite, at the start and at the commit")
  func existing() throws {
    let output = try OutputFolder(path: target, overwrite: false)
    try output.write([1], to: "report.json")
    try FileManager.default.createDirectory(
      atPath: target, withIntermediateDirectories: false)
    #expect(failure { try output.commit() } == .exists(path: target))
    #expect(failure { _ = try OutputFolder(path: target, overwrite: false) }?.exitCode == 73)
  }

  // Seen to fail with the old folder not moved aside, and with the markers not asked for.
  @Test("overwrite replaces an earlier result and an empty folder, nothing else")
  func overwrite() throws {
    func write(_ byte: UInt8, _ name: String) throws {
      let output = try OutputFolder(path: target, overwrite: true)
      try output.write([byte], to: name)
      try output.commit()
    }
    try FileManager.default.createDirectory(
      atPath: target, withIntermediateDirectories: false)
    try write(1, "report.json")
    _ = folder.put("out/old.png", [9])
    try write(2, "posterior.safetensors")
    #expect(folder.names == ["out"])
    #expect(folder.bytes("out/posterior.safetensors") == [2] && folder.bytes("out/old.png") == nil)
    try write(3, "letters.txt")
    let error = failure { try write(4, "report.json") }
    #expect(error?.exitCode == 73 && error?.description.contains("no earlier result") == true)
    #expect(folder.bytes("out/letters.txt") == [3] && folder.names == ["out"])
  }

  @Test("a file in the way, no parent, no name: 73")
  func cannotCreate() {
    let file = folder.put("f", [1])
    for path in [file, file + "/x", folder.path + "/none/x", "", "/", ".."] {
      #expect(failure { _ = try OutputFolder(path: path, overwrite: true) }?.exitCode == 73)
    }
    #expect(folder.names == ["f"])
  }

  @Test("a file that cannot be written says so under its final name")
  func fileFails() throws {
    let output = try OutputFolder(path: target, overwrite: false)
    try output.write([1], to: "a")
    let error = failure { try output.write([1], to: "a/b") }
    #expect(error?.exitCode == 73 && error?.description.contains("/out/a/b") == true)
  }
}
