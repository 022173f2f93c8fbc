import Glibc
import Testing

@testable import ImageFiles

@Suite("file errors")
struct ImageFileErrorTests {
  @Test("exit codes are those of sysexits.h")
  func codes() {
    #expect(ImageFileError.missing(path: "p", reason: "r").exitCode == 66)
    #expect(ImageFileError.badData(path: "p", reason: "r").exitCode == 65)
    #expect(ImageFileError.exists(path: "p").exitCode == 73)
    #expect(ImageFileError.cannotCreate(path: "p", reason: "r").exitCode == 73)
    #expect(ImageFileError.writeFailed(path: "p", reason: "r").exitCode == 74)
  }

  @Test("errno decides the case")
  func errnos() {
    for code in [EACCES, ENOENT, ENOTDIR, EROFS, EPERM, EEXIST, ENAMETOOLONG] {
      #expect(ImageFileError.output("p", errno: code).exitCode == 73)
    }
    for code in [ENOSPC, EDQUOT, EIO, EFBIG] {
      #expect(ImageFileError.output("p", errno: code).exitCode == 74)
    }
  }

  @Test("messages are one line whatever the path")
  func oneLine() {
    let error = ImageFileError.missing(path: "a\nb\u{1b}c", reason: "no such file or directory")
    #expect(error.description == "cannot read a?b?c: no such file or directory; check the path")
    #expect(ImageFileError.exists(path: "x").description.contains("use -f"))
  }
}
