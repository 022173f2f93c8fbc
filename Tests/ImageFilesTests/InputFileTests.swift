import Testing

@testable import ImageFiles

@Suite("reading files")
struct InputFileTests {
  @Test("all bytes come back, also past the first block")
  func whole() throws {
    let folder = TemporaryFolder()
    for count in [0, 1, 65_535, 65_536, 200_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 31) }
      #expect(try InputFile.read(path: folder.put("f", bytes), limit: 200_000) == bytes)
    }
  }

  @Test("the limit holds for files and for endless streams")
  func limits() {
    let folder = TemporaryFolder()
    let path = folder.put("f", [1, 2, 3])
    #expect(failure { _ = try InputFile.read(path: path, limit: 2) }?.exitCode == 65)
    #expect(failure { _ = try InputFile.read(path: "/dev/zero", limit: 1 << 20) }?.exitCode == 65)
  }
}
