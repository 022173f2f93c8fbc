import Foundation
import Testing

/// Output that cannot be created (73) or written (74) leaves nothing behind.
///
/// Seen to fail: the limit on the size of files ending the process by SIGXFSZ; `overwrite: true` in
/// `SamplePipeline`; a result folder not removed after a failed write.
@Suite struct OutputErrorTests {
  private let folder = TemporaryFolder()

  private func denoise(_ more: String...) -> [String] {
    ["denoise", "a.png", "-m", TestModel.grey, "--method", "map", "--sigma", "0.1"] + more
  }

  @Test func nothingIsOverwrittenWithoutForce() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("taken", Array("mine".utf8))
    try FileManager.default.createDirectory(
      atPath: folder.path + "/a.denoised", withIntermediateDirectories: false)
    folder.put("a.denoised/mine.txt", Array("mine".utf8))
    try expectFailure(73, ["a.denoised", "-f"], denoise(), in: folder)
    try expectFailure(73, ["a.denoised", "other files"], denoise("-f"), in: folder)
    try expectFailure(73, ["taken", "-f"], denoise("-o", "taken"), in: folder)
    try expectFailure(73, ["taken"], denoise("-f", "-o", "taken"), in: folder)
    try expectFailure(73, ["taken", "-f"], ["corrupt", "a.png", "-o", "taken"], in: folder)
    try expectFailure(
      73, ["taken", "-f"], ["sample", "-n", "1", "-m", TestModel.grey, "-o", "taken"], in: folder)
    try expectFailure(73, ["taken", "-f"], ["train", ".", "-o", "taken"], in: folder)
    try expectFailure(73, ["a.denoised"], denoise("--dry-run"), in: folder)
    #expect(try folder.bytes("taken") == Array("mine".utf8))
    #expect(try folder.bytes("a.denoised/mine.txt") == Array("mine".utf8))
  }

  @Test func anEarlierResultIsReplacedWithForce() throws {
    folder.put("a.png", TestPicture.png())
    #expect(try Program.run(denoise(), in: folder).status == 0)
    let listing = folder.listing()
    let first = try folder.bytes("a.denoised/posterior.safetensors")
    folder.put("a.png", TestPicture.png(seed: 9))
    try expectFailure(73, ["a.denoised", "-f"], denoise(), in: folder)
    #expect(try folder.bytes("a.denoised/posterior.safetensors") == first)
    #expect(try Program.run(denoise("-f"), in: folder).status == 0)
    #expect(try folder.bytes("a.denoised/posterior.safetensors") != first)
    #expect(folder.listing() == listing)
  }

  @Test func missingParentsAre73() throws {
    folder.put("a.png", TestPicture.png())
    try expectFailure(73, ["none/result", "directory"], denoise("-o", "none/result"), in: folder)
    try expectFailure(73, ["a.png/result"], denoise("-o", "a.png/result"), in: folder)
    try expectFailure(73, ["none/case"], ["corrupt", "a.png", "-o", "none/case"], in: folder)
    try expectFailure(
      73, ["none/s.png"], ["sample", "-n", "1", "-m", TestModel.grey, "-o", "none/s.png"],
      in: folder)
    try expectFailure(73, [".."], denoise("-o", ".."), in: folder)
  }

  /// 512 bytes: the posterior file does not fit.
  @Test func fullDisksAre74() throws {
    folder.put("a.png", TestPicture.likely(bits: 16))
    try expectFailure(74, ["too large"], denoise(), in: folder, setup: "ulimit -f 1")
    try expectFailure(
      74, ["too large"], ["sample", "-m", TestModel.grey, "-o", "s.png"], in: folder,
      setup: "ulimit -f 1")
    try expectFailure(
      74, ["/dev/full", "no space"], ["sample", "-m", TestModel.grey, "-o", "/dev/full"],
      in: folder)
  }

  @Test func standardOutputThatIsFullIs74() throws {
    folder.put("a.png", TestPicture.likely())
    for arguments in [["info", TestModel.grey], ["info", TestModel.grey, "--json"]] {
      try expectFailure(74, ["standard output"], arguments, in: folder, output: "/dev/full")
    }
    // The result is complete by the time that the report is printed.
    let outcome = try Program.run(denoise("--json"), in: folder, output: "/dev/full")
    #expect(outcome.status == 74 && outcome.errors.split(separator: "\n").count == 1)
    #expect(folder.has("a.denoised/report.json"))
  }
}
