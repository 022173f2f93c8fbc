import Foundation
import ImageFiles
import Inversion
import Randomness
import Tensors
import Testing

/// `--solver` and more data than dense algebra takes, through the commands.
@Suite struct CorrelatedCommandTests {
  private let folder = TemporaryFolder()
  private let side = TestModel.side

  private func put(_ name: String, _ text: String) { folder.put(name, Array(text.utf8)) }

  /// A tensor of a result folder.
  private func tensor(_ name: String, of directory: String) throws -> [Double] {
    let file = try SafetensorsFile.read(
      path: folder.path + "/\(directory)/posterior.safetensors")
    return try file.require(name, Shape(1, side, side)).map { Double($0) }
  }

  /// The report's noise.
  private func noise(_ text: String) throws -> [String: Any] {
    let report = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return try #require(report?["noise"] as? [String: Any])
  }

  // Two runs of ESS n: means differ by √(2/n) standard deviations, 5 of those for 64 pixels, and 2e-3 where
  // the spread is small. Fails when: `solver` is not heeded (no tolerance in the report); C is not the dense
  // one's: its σ, mask, rounding or residual; the MAP's ε has another gap.
  @Test(
    "both solvers have the same posterior",
    arguments: ["", "operator: [{blur: {gaussian: 0.7, border: reflecting}}]\n"])
  func solversAgree(_ steps: String) throws {
    let model = try PAEModel.read(path: TestModel.grey)
    let truth = try TestPicture.drawn(from: model, sigma: 0, seed: 5)
    folder.put("a.png", Picture(tensor: truth, bitDepth: 16).png)
    folder.put("mask.png", TestPicture.mask)
    put(
      "p.yaml",
      "data: a.png\nmask: mask.png\nmodel: '\(TestModel.grey)'\n\(steps)"
        + "noise: {sigma: 0.05, spectrum: 'power:2,0.05'}\nclipped: 'no'\n"
        + "sampling: {chains: 4, draws: 250, warmup: 100, samples: 2, seed: 9}\n")
    let made = try Program.run(
      ["corrupt", "a.png", "--problem", "p.yaml", "--wide", "-o", "case", "--seed", "3"],
      in: folder)
    #expect(made.status == 0, "\(made)")
    let text = String(decoding: try folder.bytes("case/problem.yaml"), as: UTF8.self)
    var ess = Double.infinity
    for solver in ["dense", "cg"] {
      put(
        "case/\(solver).yaml",
        text.replacingOccurrences(of: "noise:", with: "noise:\n  solver: \(solver)"))
      let solved = try Program.run(
        ["solve", "case/\(solver).yaml", "-o", solver, "--json"], in: folder)
      #expect(solved.status == 0, "\(solved)")
      ess = min(ess, try #require(try ReportFile(solved.output).diagnostics.ess_bulk_min))
      let noise = try noise(solved.output)
      #expect(noise["solver"] as? String == solver)
      #expect((noise["tolerance"] as? Double == 1e-6) == (solver == "cg"))
      #expect((noise["log_determinant_error"] as? Double != nil) == (solver == "cg"))
    }
    #expect(ess > 200)
    let deviations = try tensor("std", of: "dense")
    let means = try ["dense", "cg"].map { try tensor("mean", of: $0) }
    let spreads = try tensor("std", of: "cg")
    let maps = try ["dense", "cg"].map { try tensor("map", of: $0) }
    for pixel in deviations.indices {
      let bound = 5 * deviations[pixel] * (2 / ess).squareRoot() + 2e-3
      #expect(abs(means[0][pixel] - means[1][pixel]) < bound)
      #expect(abs(spreads[pixel] / deviations[pixel] - 1) < 0.25)
      #expect(abs(maps[0][pixel] - maps[1][pixel]) < 1e-3)
    }
  }

  // Fails when: one of the checks is left out, or comes after the work.
  @Test func whatConjugateGradientsCannotHaveIs64() throws {
    folder.put("a.png", TestPicture.png())
    func refuse(_ words: [String], _ more: [String]) throws {
      try expectFailure(
        64, words,
        ["denoise", "a.png", "-m", TestModel.grey, "--solver", "cg"] + more, in: folder)
    }
    let coloured = ["--noise-spectrum", "power:2"]
    try refuse(["--sigma", "known level"], coloured)
    try refuse(["--sigma"], coloured + ["--sigma", "auto"])
    try refuse(["clipped"], coloured + ["--sigma", "0.1", "--clipped", "yes"])
    try refuse(["clipped"], coloured + ["--sigma", "0.1", "--clipped", "yes", "--dry-run"])
    try refuse(["independent", "leave it out"], ["--sigma", "0.1", "--clipped", "no"])
    try refuse(["slope"], ["--noise-spectrum", "power:auto", "--sigma", "0.1", "--clipped", "no"])
    try expectFailure(
      64, ["magic"], ["denoise", "a.png", "-m", TestModel.grey, "--solver", "magic"], in: folder)
    put("p.yaml", "data: a.png\nmodel: '\(TestModel.grey)'\nnoise: {solver: fast}\n")
    try expectFailure(78, ["p.yaml, line 3", "cg"], ["solve", "p.yaml"], in: folder)
    folder.put("rgb.png", TestPicture.png(channels: 3))
    put(
      "p.yaml",
      "data: rgb.png\nmodel: '\(TestModel.rgb)'\nclipped: 'no'\nnoise: {sigma: 0.1, solver: cg, "
        + "spectrum: 'power:1', channel-covariance: [[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]]}\n")
    try expectFailure(64, ["channel-covariance"], ["solve", "p.yaml"], in: folder)
  }

  // 68×68 data of an 8×8 picture. Fails when: dense algebra is tried all the same; σ is inferred; the level of
  // the noise is another.
  @Test func moreDataThanDenseAlgebraTakes() throws {
    var stream = RandomKey(seed: 8).stream()
    folder.put(
      "y.npy",
      NPYFile.encode(shape: Shape(68, 68), values: stream.normals(68 * 68).map { 0.1 * $0 }))
    func problem(_ noise: String, residual: String = "auto") {
      put(
        "p.yaml",
        "data: y.npy\nmodel: '\(TestModel.grey)'\nclipped: 'no'\nnoise: \(noise)\n"
          + "residual: \(residual)\noperator: [{pad: {top: 30, left: 30, bottom: 30, right: 30}}]\n"
          + "sampling: {method: map, seed: 9}\n")
    }
    for noise in ["{sigma: auto, spectrum: 'power:1'}", "{sigma: auto}"] {
      problem(noise)
      try expectFailure(64, ["4624", "--sigma"], ["solve", "p.yaml"], in: folder)
    }
    problem("{sigma: 0.1, spectrum: 'power:1', solver: dense}")
    try expectFailure(65, ["4624", "4096"], ["solve", "p.yaml"], in: folder)
    problem("{sigma: 0.1, spectrum: 'power:0'}")
    let solved = try Program.run(["solve", "p.yaml", "-o", "r", "--json"], in: folder)
    #expect(solved.status == 0, "\(solved)")
    #expect(try noise(solved.output)["solver"] as? String == "cg")
    // White data under a spectrum that is white: χ² of 4,624 numbers, of which a picture's 64 are larger
    // than noise alone.
    let fit = try #require(try ReportFile(solved.output).fit.chi2_per_datum)
    #expect(0.9 < fit && fit < 1.5, "chi2 per datum \(fit)")
    // Without a residual these are independent data as well: the same number and picture.
    var found: [(logDensity: Double, picture: [Double], solver: String?)] = []
    let white = "sigma: 0.1, spectrum: 'power:0'"
    for noise in ["{\(white), solver: cg}", "{\(white)}", "{sigma: 0.1}"] {
      problem(noise, residual: "none")
      let solved = try Program.run(["solve", "p.yaml", "-o", "r", "--json", "-f"], in: folder)
      #expect(solved.status == 0, "\(solved)")
      found.append(
        (
          try #require(try ReportFile(solved.output).modes.first).log_density,
          try tensor("map", of: "r"), try self.noise(solved.output)["solver"] as? String
        ))
    }
    #expect(found.map(\.solver) == ["cg", "fourier", nil])
    for solved in found.prefix(2) {
      #expect(abs(solved.logDensity - found[2].logDensity) < 1e-5 * abs(found[2].logDensity))
      for (a, b) in zip(solved.picture, found[2].picture) { #expect(abs(a - b) < 1e-3) }
    }
  }
}
