import Foundation
import ImageFiles
import Numerics
import Randomness
import Tensors
import Testing

/// `spectrum`: from pictures of noise to a file that the solvers take.
@Suite struct SpectrumCommandTests {
  private let folder = TemporaryFolder()
  private let side = TestModel.side

  /// White noise about 0.5.
  private func noise(_ seed: UInt64, sigma: Double = 0.1) -> [Double] {
    var stream = RandomKey(seed: seed).child("dark").stream()
    return stream.normals(side * side).map { 0.5 + sigma * $0 }
  }

  private func put(_ name: String, _ values: [Double]) {
    folder.put(name, NPYFile.encode(shape: Shape(side, side), values: values))
  }

  private func rows(_ table: String) -> [[Double]] {
    table.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
      $0.split(separator: " ").map { Double($0) ?? .nan }
    }
  }

  private func expectTaken(_ file: String) throws {
    folder.put("a.png", TestPicture.png())
    let outcome = try Program.run(
      ["denoise", "a.png", "-m", TestModel.grey, "--noise-spectrum", file, "--dry-run"],
      in: folder)
    #expect(outcome.status == 0 && outcome.output.contains("spectrum: \(file)"), "\(outcome)")
  }

  // Fails when: a column is left out or unscaled; the file is not what --noise-spectrum reads.
  @Test func aTableOfRadialBinsIsWritten() throws {
    for index in 1...4 { put("\(index).npy", noise(UInt64(index))) }
    let images = (1...4).map { "\($0).npy" }
    let outcome = try Program.run(["spectrum"] + images, in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
    #expect(outcome.output.contains("# k P error modes\n"))
    let table = rows(outcome.output)
    #expect(table.count > 2 && table.allSatisfy { $0.count == 4 })
    #expect(zip(table, table.dropFirst()).allSatisfy { $0[0] < $1[0] })
    for row in table {
      #expect(row[1] > 0 && abs(row[1] - 0.01) < 5 * row[2], "\(row)")
      #expect(abs(row[2] / row[1] / (2 / row[3]).squareRoot() - 1) < 0.01)
    }
    let file = try Program.run(["spectrum"] + images + ["-o", "noise.txt"], in: folder)
    #expect(file.status == 0 && file.output == "noise.txt\n")
    #expect(String(decoding: try folder.bytes("noise.txt"), as: UTF8.self) == outcome.output)
    try expectTaken("noise.txt")
    try expectFailure(
      73, ["noise.txt", "-f"], ["spectrum", "1.npy", "-o", "noise.txt"], in: folder)
    let forced = try Program.run(["spectrum", "1.npy", "-o", "noise.txt", "-f"], in: folder)
    #expect(forced.status == 0)
    let json = try Program.run(["spectrum"] + images + ["--json", "--bins", "1"], in: folder)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let bins = try #require(report["bins"] as? [[String: Double]])
    #expect(bins.count == 1 && bins[0]["modes"] == 252)
    #expect(report["method"] as? String == "periodogram")
    #expect(abs((try #require(report["sigma"] as? Double)) - 0.1) < 0.02)
  }

  // Fails when: the mask is inverted (the object is far from noise) or not used.
  @Test func theMaskLeavesTheObjectOut() throws {
    folder.put("mask.png", TestPicture.mask)
    var values = noise(9)
    for index in values.indices {
      let inside = (2...5).contains(index / side) && (2...5).contains(index % side)
      if inside { values[index] += 30 }
    }
    put("object.npy", values)
    let outcome = try Program.run(
      ["spectrum", "object.npy", "--mask", "mask.png", "--bins", "2"], in: folder)
    #expect(outcome.status == 0 && outcome.output.contains("method likelihood"), "\(outcome)")
    for row in rows(outcome.output) { #expect(row[1] < 0.04 && row[3] < 63) }
  }

  // Fails when: the array is not in FFT order, or transposed (the stripes turn then).
  @Test func aGridKeepsTheDirection() throws {
    var names: [String] = []
    for index in 0..<20 {
      var stream = RandomKey(seed: UInt64(index)).child("stripes").stream()
      let (own, common) = (stream.normals(64), stream.normals(side))
      // Stripes: rows share a value.
      put("s\(index).npy", (0..<64).map { 0.5 + 0.02 * own[$0] + 0.1 * common[$0 / side] })
      names.append("s\(index).npy")
    }
    let outcome = try Program.run(["spectrum"] + names + ["--grid", "-o", "g.npy"], in: folder)
    #expect(outcome.status == 0 && outcome.output == "g.npy\n", "\(outcome)")
    let grid = try NPYFile.read(path: folder.path + "/g.npy")
    #expect(grid.shape == Shape(side, side) && grid.values.allSatisfy { $0 > 0 })
    // Variation from row to row: the first column of bins.
    for row in 1..<side {
      #expect(grid.values[row * side] > 0.02)
      for column in 1..<side { #expect(grid.values[row * side + column] < 0.002) }
    }
    try expectTaken("g.npy")
  }

  // Fails when: a check is left out.
  @Test func whatCannotBeEstimatedIsRefused() throws {
    put("a.npy", noise(1))
    put("flat.npy", [Double](repeating: 0.5, count: 64))
    folder.put("mask.png", TestPicture.mask)
    folder.put("big.png", TestPicture.png(side: 12))
    folder.put(
      "c.npy",
      NPYFile.encode(
        shape: Shape(2, 2), values: [Double](repeating: 1, count: 8), isComplex: true))
    for (code, words, arguments) in [
      (66, ["none.png"], ["none.png"]), (66, ["none.png"], ["a.npy", "--mask", "none.png"]),
      (65, ["12x12", "8x8"], ["a.npy", "big.png"]),
      (65, ["12x12"], ["big.png", "--mask", "mask.png"]),
      (65, ["flat.npy", "constant"], ["flat.npy"]), (65, ["c.npy", "complex"], ["c.npy"]),
      (65, ["a.npy", "60 bins"], ["a.npy", "--bins", "60"]),
      (64, ["--bins"], ["a.npy", "--bins", "0"]),
      (64, ["--output"], ["a.npy", "--grid"]),
      (64, ["--bins"], ["a.npy", "--grid", "--bins", "3", "-o", "g.npy"]),
      (64, ["whole"], ["a.npy", "--grid", "--mask", "mask.png", "-o", "g.npy"]),
      (64, [".npy"], ["a.npy", "--grid", "-o", "g.txt"]), (64, ["once"], ["-", "-"]),
      (64, ["images"], []),
    ] as [(Int, [String], [String])] {
      try expectFailure(code, words, ["spectrum"] + arguments, in: folder)
    }
  }

  // Fails when: the warning is left out.
  @Test func clippedNoiseIsWarnedOf() throws {
    let values = noise(3).map { Float($0 - 0.5) }
    folder.put(
      "dark.png", Picture(tensor: Tensor(shape: Shape(1, side, side), values: values)).png)
    let outcome = try Program.run(["spectrum", "dark.png", "--bins", "2"], in: folder)
    #expect(outcome.status == 0 && outcome.errors.contains("warning: dark.png"), "\(outcome)")
  }
}
