import Foundation
import ImageFiles
import Tensors
import Testing

/// What the solvers refuse to read: one line, the right code, nothing left behind.
///
/// Seen to fail: unfinished folders not removed on an error; the mask's size not compared; `$0 >= 0` for
/// `$0 > 0` in the check of a sigma map.
@Suite struct SolverInputTests {
  private let folder = TemporaryFolder()

  private func expectRefused(
    _ code: Int, _ words: [String], _ arguments: [String], input: String = "/dev/null",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expectFailure(
      code, words, arguments + ["-m", TestModel.grey], in: folder, input: input,
      sourceLocation: sourceLocation)
  }

  @Test func missingFilesAre66() throws {
    folder.put("a.png", TestPicture.png())
    for arguments in [
      ["denoise", "none.png"], ["denoise", "a.png", "none.png"],
      ["inpaint", "a.png", "--mask", "none.png"], ["denoise", "a.png", "--sigma-map", "none.png"],
      ["denoise", "a.png", "--truth", "none.png"],
    ] { try expectRefused(66, ["none.png", "check the path"], arguments) }
    try expectFailure(66, ["none.png"], ["corrupt", "none.png"], in: folder)
    try expectRefused(66, ["directory"], ["denoise", "."])
  }

  /// A PNG's chunks: the IHDR's data begin at byte 16, its checksum at 29.
  static let damage: [(name: String, bytes: [UInt8])] = {
    let good = TestPicture.png()
    var flipped = good
    flipped[good.count - 20] ^= 0xFF
    var huge = good
    for index in 16..<24 { huge[index] = 0x7F }
    // The checksum that goes with such a header, so that the size itself is what is refused.
    let checksum = crc32(Array(huge[12..<29]))
    for (index, shift) in [24, 16, 8, 0].enumerated() {
      huge[29 + index] = UInt8(truncatingIfNeeded: checksum >> shift)
    }
    return [
      ("truncated in the pixels", Array(good.prefix(good.count - 30))),
      ("truncated in the header", Array(good.prefix(20))), ("a flipped bit", flipped),
      ("a JPEG", [0xFF, 0xD8, 0xFF, 0xE0, 0, 16] + Array("JFIF".utf8) + [0, 1, 1, 0]),
      ("text", Array("this is no picture\n".utf8)), ("nothing", []), ("a huge header", huge),
    ]
  }()

  @Test(arguments: damage.indices)
  func damagedPicturesAre65(_ index: Int) throws {
    let (name, bytes) = Self.damage[index]
    folder.put("bad.png", bytes)
    folder.put("good.png", TestPicture.png())
    // The kind of damage stands in the message where the file is another format.
    let words = name == "a JPEG" ? ["a JPEG"] : name == "nothing" ? ["empty"] : []
    for (arguments, what) in [
      (["denoise", "bad.png"], "bad.png"),
      (["inpaint", "good.png", "--mask", "bad.png"], "bad.png"),
      (["denoise", "-"], "standard input"),
    ] { try expectRefused(65, [what] + words, arguments, input: folder.path + "/bad.png") }
  }

  @Test func otherSizesAndChannelsAre65() throws {
    folder.put("good.png", TestPicture.png())
    folder.put("big.png", TestPicture.png(side: 12))
    folder.put("rgb.png", TestPicture.png(channels: 3))
    try expectRefused(65, ["12x12", "8x8", "big.png"], ["denoise", "big.png"])
    try expectRefused(65, ["RGB", "grey", "rgb.png"], ["denoise", "rgb.png"])
    try expectRefused(65, ["12x12", "8x8"], ["denoise", "good.png", "--truth", "big.png"])
    try expectFailure(
      65, ["grey", "RGB"], ["denoise", "good.png", "-m", TestModel.rgb], in: folder)
    try expectRefused(65, ["12x12", "8x8", "mask"], ["inpaint", "good.png", "--mask", "big.png"])
    try expectRefused(65, ["12x12", "8x8"], ["denoise", "good.png", "--sigma-map", "big.png"])
    try expectRefused(65, ["RGB"], ["denoise", "good.png", "--sigma-map", "rgb.png"])
  }

  @Test func masksAndMapsThatLeaveNothingAre65() throws {
    folder.put("good.png", TestPicture.png())
    folder.put("black.png", TestPicture.flat(0))
    try expectRefused(65, ["black", "white"], ["inpaint", "good.png", "--mask", "black.png"])
    var values = Tensor(shape: Shape(1, 8, 8), repeating: 0.5)
    values.values[8 * 2 + 3] = 0
    folder.put("map.png", Picture(tensor: values).png)
    try expectRefused(
      65, ["column 3", "row 2", "--mask"], ["denoise", "good.png", "--sigma-map", "map.png"])
    try expectFailure(
      65, ["column 3"], ["corrupt", "good.png", "--sigma-map", "map.png"], in: folder)
  }
}

/// The checksum of PNG chunks.
private func crc32(_ data: [UInt8]) -> UInt32 {
  var crc = UInt32.max
  for byte in data {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}
