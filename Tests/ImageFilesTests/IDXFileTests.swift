import Tensors
import Testing

@testable import ImageFiles

@Suite("IDX files")
struct IDXFileTests {
  func idx(_ type: UInt8, _ sizes: [UInt32], _ data: [UInt8]) -> [UInt8] {
    [0, 0, type, UInt8(sizes.count)] + sizes.flatMap(RawFiles.big) + data
  }

  func images(_ bytes: [UInt8]) throws(ImageFileError) -> ImageSet {
    let folder = TemporaryFolder()
    return try IDXFile.readImages(path: folder.put("images", bytes))
  }

  @Test("bytes, plain and compressed, are the same pictures")
  func bytes() throws {
    let data = (0..<12).map { UInt8($0 * 20) }
    let file = idx(8, [2, 2, 3], data)
    let expected = ImageSet(shape: Shape(1, 2, 3), count: 2, storage: .bytes(data))
    #expect(try images(file) == expected)
    #expect(try images(RawFiles.gzip(file)) == expected)
  }

  @Test("floats are big-endian")
  func floats() throws {
    let set = try images(idx(0x0D, [2, 1, 1], [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]))
    #expect(set == ImageSet(shape: Shape(1, 1, 1), count: 2, storage: .floats([1, -2])))
    let nan = idx(0x0D, [1, 1, 1], [0x7F, 0xC0, 0, 0])
    #expect(failure { _ = try images(nan) }?.exitCode == 65)
  }

  @Test("labels have rank 1")
  func labels() throws {
    let folder = TemporaryFolder()
    let good = folder.put("labels", RawFiles.gzip(idx(8, [3], [7, 1, 9])))
    #expect(try IDXFile.readLabels(path: good) == [7, 1, 9])
    let wrong = folder.put("images", idx(8, [1, 1, 1], [7]))
    #expect(failure { _ = try IDXFile.readLabels(path: wrong) }?.exitCode == 65)
    #expect(failure { _ = try IDXFile.readLabels(path: good + "x") }?.exitCode == 66)
  }

  // Seen to trap with the comparison of the claimed and the real size taken out.
  @Test("wrong magic and lying sizes are bad data, compressed or not")
  func lies() {
    let two: [UInt8] = [1, 2]
    let files = [
      [], [0, 0, 8], idx(9, [1, 1, 2], two), idx(8, [2], two), [1] + idx(8, [1, 1, 2], two),
      idx(8, [1, 1, 3], two), idx(8, [1, 1, 1], two), idx(8, [0, 1, 1], []), idx(8, [2, 0, 1], []),
      idx(8, [.max, .max, .max], two), idx(8, [60_000, 28, 28], two),
      idx(0x0D, [.max, .max, .max], two),
    ]
    for file in files {
      for bytes in [file, RawFiles.gzip(file)] {
        #expect(failure { _ = try images(bytes) }?.exitCode == 65, "\(bytes)")
      }
    }
  }

  @Test("every proper prefix of a compressed file is refused, and what follows it")
  func truncation() {
    let file = RawFiles.gzip(idx(8, [1, 2, 2], [1, 2, 3, 4]))
    for length in 0..<file.count {
      #expect(failure { _ = try images(Array(file.prefix(length))) }?.exitCode == 65)
    }
    #expect(failure { _ = try images(file + [0]) }?.exitCode == 65)
  }

  // The checksum of the content is gzip's CRC; the header's time and system bytes are not guarded.
  @Test("flipped bits of the content are refused, others never crash")
  func flips() {
    let file = RawFiles.gzip(idx(8, [1, 2, 2], [1, 2, 3, 4]))
    for index in file.indices {
      for bit in 0..<8 {
        var bytes = file
        bytes[index] ^= 1 << bit
        let error = failure { _ = try images(bytes) }
        if index >= 15 { #expect(error?.exitCode == 65, "byte \(index), bit \(bit)") }
      }
    }
  }
}
