import Foundation
import Testing

@testable import ImageFiles

@Suite("writing files whole or not at all", .serialized)
struct AtomicFileTests {
  let folder = TemporaryFolder()

  @Test("a new file holds the bytes and has no sibling")
  func new() throws {
    try AtomicFile.write([1, 2, 3], to: folder.path + "/f", overwrite: false)
    #expect(folder.bytes("f") == [1, 2, 3] && folder.names == ["f"])
  }

  // Seen to fail with rename in place of link (the existence check before it removed as well).
  @Test("an existing file is kept without overwrite and replaced with it")
  func existing() throws {
    let path = folder.put("f", [1])
    #expect(
      failure { try AtomicFile.write([2], to: path, overwrite: false) } == .exists(path: path))
    #expect(folder.bytes("f") == [1])
    try AtomicFile.write([2], to: path, overwrite: true)
    #expect(folder.bytes("f") == [2] && folder.names == ["f"])
  }

  @Test("links are followed, and a dangling one counts as there")
  func links() throws {
    _ = folder.put("f", [1])
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/l", withDestinationPath: "f")
    try AtomicFile.write([2], to: folder.path + "/l", overwrite: true)
    #expect(folder.bytes("f") == [2])
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/d", withDestinationPath: "nowhere")
    let dangling = folder.path + "/d"
    #expect(
      failure { try AtomicFile.write([2], to: dangling, overwrite: false) }
        == .exists(path: dangling))
  }

  @Test("no directory, a file for a directory, a directory for a file: 73")
  func cannotCreate() {
    _ = folder.put("f", [1])
    for name in ["/none/f", "/f/g", "/", ""] {
      let error = failure {
        try AtomicFile.write([1], to: folder.path + name, overwrite: true)
      }
      #expect(error?.exitCode == 73, "\(name)")
    }
    #expect(folder.names == ["f"])
  }

  @Test("a full device is 74")
  func fullDevice() {
    let error = failure { try AtomicFile.write([1], to: "/dev/full", overwrite: false) }
    #expect(error?.exitCode == 74)
    #expect(error?.description.contains("no space left on device") == true)
  }

  // A full disk cannot be had without root; a limit on the size of files makes write(2) fail half
  // way in the same manner (EFBIG for ENOSPC). Seen to fail with the sibling not removed.
  @Test("a write that fails half way leaves the old file and nothing else")
  func halfWay() throws {
    let path = folder.put("f", [1])
    var old = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    signal(SIGXFSZ, SIG_IGN)
    var limited = rlimit(rlim_cur: 4 << 20, rlim_max: old.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limited)
    let bytes = [UInt8](repeating: 7, count: 5 << 20)
    let error = failure { try AtomicFile.write(bytes, to: path, overwrite: true) }
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    #expect(error?.exitCode == 74)
    #expect(folder.bytes("f") == [1] && folder.names == ["f"])
  }
}
