import Foundation
import ImageFiles
import Inversion
import Tensors
import Testing

/// Problem files through the commands: `solve`, `corrupt --problem`, `--dry-run`.
@Suite struct SolveCommandTests {
  private let folder = TemporaryFolder()
  private let side = TestModel.side

  private func put(_ name: String, _ text: String) { folder.put(name, Array(text.utf8)) }

  private func array(_ name: String, _ values: [Double], _ height: Int, _ width: Int) {
    folder.put(name, NPYFile.encode(shape: Shape(height, width), values: values))
  }

  /// Refuses a problem of a.png with these further keys.
  private func expectRefused(
    _ code: Int, _ words: [String], _ keys: String, data: String = "a.png",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    folder.put("a.png", TestPicture.png())
    put("p.yaml", "data: \(data)\nmodel: '\(TestModel.grey)'\n\(keys)\n")
    try expectFailure(code, words, ["solve", "p.yaml"], in: folder, sourceLocation: sourceLocation)
  }

  // Fails when: a key is left out of the YAML (the problem differs then, or is refused).
  @Test func dryRunsPrintWhatSolveTakes() throws {
    for name in ["a.png", "b c.png"] { folder.put(name, TestPicture.png()) }
    folder.put("mask.png", TestPicture.mask)
    for (arguments, words) in [
      (["denoise", "a.png", "--sigma", "0.1"], ["sigma: 0.1", "output: a.denoised"]),
      (["denoise", "a.png"], ["sigma: auto"]),
      (
        [
          "denoise", "a.png", "--sigma", "0.1", "--noise-spectrum", "power:2", "--solver", "cg",
          "--clipped", "no",
        ], ["  solver: cg"]
      ),
      (["denoise", "a.png", "--noise-spectrum", "power:auto,0.05"], ["\"power:auto,0.05\""]),
      (
        ["denoise", "a.png", "b c.png", "--noise-spectrum", "power:2,0.05", "--space", "u"],
        ["\"b c.denoised\"", "spectrum: \"power:2.0,0.05\"", "space: u"]
      ),
      (
        ["inpaint", "a.png", "--mask", "mask.png", "--clipped", "no", "--seed", "7"],
        ["mask: mask.png", "clipped: \"no\"", "seed: 7", "output: a.inpainted"]
      ),
    ] {
      let dry = try Program.run(arguments + ["-m", TestModel.grey, "--dry-run"], in: folder)
      #expect(dry.status == 0, "\(arguments): \(dry.errors)")
      for word in words { #expect(dry.output.contains(word), "\(dry.output)") }
      put("p.yaml", dry.output)
      let again = try Program.run(["solve", "p.yaml", "--dry-run"], in: folder)
      #expect(again.status == 0 && again.output == dry.output, "\(again)")
    }
    #expect(folder.listing() == ["a.png", "b c.png", "mask.png", "p.yaml"])
  }

  // Fails when: the problem file's own faults end with 64 or 65.
  @Test func faultsOfTheProblemFileAre78() throws {
    try expectFailure(66, ["none.yaml"], ["solve", "none.yaml"], in: folder)
    put("big.yaml", "data: a.png\n#" + String(repeating: "x", count: 1 << 20))
    try expectFailure(78, ["big.yaml", "limit"], ["solve", "big.yaml"], in: folder)
    folder.put("binary.yaml", [0xFF, 0xFE, 0x80])
    try expectFailure(78, ["binary.yaml", "UTF-8"], ["solve", "binary.yaml"], in: folder)
    try expectRefused(78, ["p.yaml, line 3", "'nois'", "'noise'"], "nois: {sigma: 1}")
    try expectRefused(78, ["chains must be"], "sampling: {chains: 0}")
    try expectRefused(78, ["sigma must be"], "noise: {sigma: -1}")
    try expectRefused(78, ["operator 1"], "operator: [{blur: {gaussian: -1}}]")
    try expectRefused(
      78, ["operator 2", "downsampled by 3"], "operator: [{blur: {disc: 1}}, {downsample: 3}]")
    try expectRefused(
      78, ["operator 1"], "operator: [{crop: {top: 4, left: 0, height: 8, width: 8}}]")
    try expectRefused(
      78, ["channel-covariance", "channel 1"], "noise: {channel-covariance: [[1, 1], [1, 1]]}")
    try expectRefused(
      78, ["channel-covariance", "4 elements"], "noise: {channel-covariance: [[1, 0], [0, 1]]}")
  }

  // Fails when: a check of a file is left out, or its message leaves the sizes out.
  @Test func badFilesOfTheOperatorAre65() throws {
    array("large.npy", [Double](repeating: 1, count: 11 * 9), 11, 9)
    try expectRefused(
      65, ["operator 1", "11×9", "8×8"], "operator: [{blur: {file: large.npy}}]")
    array("even.npy", [1, 1], 1, 2)
    try expectRefused(65, ["even.npy", "center"], "operator: [{blur: {file: even.npy}}]")
    array("zero.npy", [1, -1], 1, 2)
    try expectRefused(65, ["zero.npy", "sums to 0"], "operator: [{blur: {file: zero.npy}}]")
    try expectRefused(66, ["none.png"], "operator: [{gain: none.png}]")
    array("none.npy", [Double](repeating: 0, count: 64), 8, 8)
    try expectRefused(65, ["none.npy", "black everywhere"], "mask: none.npy")
    var values = [Double](repeating: 0.5, count: 64)
    values[5] = .nan
    array("gain.npy", values, 8, 8)
    try expectRefused(65, ["gain.npy", "row 0, column 5"], "operator: [{gain: gain.npy}]")
    values[5] = 1e300
    array("y.npy", values, 8, 8)
    try expectRefused(65, ["y.npy", "--range"], "noise: {sigma: 0.1}", data: "y.npy")
    array("y.npy", [1, 2], 1, 2)
    try expectRefused(65, ["y.npy", "2x1", "8x8"], "noise: {sigma: 0.1}", data: "y.npy")
    folder.put("sampled.png", TestPicture.flat(1))
    try expectRefused(65, ["a.png", ".npy"], "operator: [{fourier: sampled.png}]")
  }

  // Fails when: a mask on frequencies is read as one of pixels (a trap then).
  @Test func aMaskOnFrequenciesIsRefused() throws {
    folder.put("sampled.png", TestPicture.flat(1))
    folder.put("mask.png", TestPicture.mask)
    folder.put(
      "y.npy",
      NPYFile.encode(
        shape: Shape(8, 8), values: [Double](repeating: 0.1, count: 128), isComplex: true))
    let steps = "operator: [{fourier: sampled.png}]\n"
    try expectRefused(78, ["mask", "fourier"], steps + "mask: mask.png", data: "y.npy")
    try expectRefused(78, ["grid of pixels"], steps + "noise: {spectrum: power:1}", data: "y.npy")
    try expectFailure(
      78, ["mask"], ["corrupt", "a.png", "--problem", "p.yaml", "--mask", "mask.png"], in: folder)
  }

  // Fails when: a bin is not checked in one of the formats; the first bad one is not named.
  @Test func spectraThatAreNoneAre65() throws {
    folder.put("a.png", TestPicture.png())
    func refuse(_ code: Int, _ words: [String], _ file: String) throws {
      try expectFailure(
        code, [file] + words, ["denoise", "a.png", "-m", TestModel.grey, "--noise-spectrum", file],
        in: folder)
    }
    for bad in [0, -0.5, Double.nan, .infinity] {
      var values = [Double](repeating: 0.5, count: side * side)
      (values[5], values[9]) = (bad, bad)
      array("s.npy", values, side, side)
      try refuse(65, ["bin 5 ", "\(bad)"], "s.npy")
      put("s.txt", "# k P\n0.1 0.2\n0.2 \(bad)\n0.3 0.1\n")
      try refuse(65, ["bin 1 ", "\(bad)"], "s.txt")
      guard bad.isFinite else { continue }
      folder.put(
        "s.png",
        Picture(
          tensor: Tensor(shape: Shape(1, side, side), values: values.map { Float($0) }),
          bitDepth: 16, range: bad < 0 ? -0.5...0.5 : 0...1
        ).png)
      try refuse(65, ["bin 5 "], "s.png")
    }
    array("s.npy", [Double](repeating: 1, count: 81), 9, 9)
    try refuse(65, ["9×9", "8x8"], "s.npy")
    folder.put("s.npy", NPYFile.encode(shape: Shape(64), values: [Double](repeating: 1, count: 64)))
    try refuse(65, ["64", "8x8"], "s.npy")
    var values = [Double](repeating: 1, count: side * side)
    values[1] = 2
    array("s.npy", values, side, side)
    try refuse(65, ["bin 1 ", "opposite", "bin 7"], "s.npy")
    folder.put("s.png", TestPicture.flat(1, side: 9))
    try refuse(65, ["9x9", "8x8"], "s.png")
    put("s.txt", "0.1 0.2\nhello world\n")
    try refuse(65, ["line 2"], "s.txt")
    put("s.txt", "0.1\n")
    try refuse(65, ["line 1"], "s.txt")
    put("s.txt", "# nothing\n")
    try refuse(65, ["no bins"], "s.txt")
    put("s.txt", "0.2 1\n0.1 1\n")
    try refuse(65, ["bin 1 ", "ascend"], "s.txt")
    try refuse(66, [], "gone.txt")
    try refuse(66, [], "gone.npy")
  }

  static let cases: [(name: String, keys: String, data: String)] = [
    (
      "blur and mask",
      "mask: mask.png\noperator: [{blur: {gaussian: 0.8, border: periodic}}]\nnoise: {sigma: 0.03}",
      "data.png"
    ),
    (
      "blur by a file",
      "operator: [{blur: {file: psf.npy, center: [1, 1], border: zero}}]\nnoise: {sigma: 0.03}",
      "data.png"
    ),
    ("downsample", "operator: [{downsample: 2}]\nnoise: {sigma: 0.02}", "data.png"),
    ("fourier", "operator: [{fourier: sampled.npy}]\nnoise: {sigma: 0.03}", "data.npy"),
    (
      "coloured under a mask", "mask: mask.png\nnoise: {sigma: 0.05, spectrum: 'power:2'}",
      "data.png"
    ),
    ("a spectrum's file", "noise: {spectrum: noise.txt}", "data.png"),
  ]

  // Fails when: `corrupt` leaves the model, the operator, the mask or the noise out of the problem; a
  // path in it is not found from elsewhere; the data do not follow the problem's operator and noise.
  @Test(arguments: cases.indices)
  func corruptMakesWhatSolveSolves(_ index: Int) throws {
    let (name, keys, data) = Self.cases[index]
    let model = try PAEModel.read(path: TestModel.grey)
    let truth = try TestPicture.drawn(from: model, sigma: 0, seed: 5)
    folder.put("a.png", Picture(tensor: truth, bitDepth: 16).png)
    folder.put("mask.png", TestPicture.mask)
    array("psf.npy", [1, 2, 1, 0, 3, 1], 2, 3)
    array("sampled.npy", (0..<64).map { $0 % 3 == 1 ? 0 : 1 }, side, side)
    put("noise.txt", "# k P\n0.1 0.004\n0.5 0.0005\n")
    put(
      "p.yaml",
      "data: a.png\nmodel: '\(TestModel.grey)'\n\(keys)\n"
        + "sampling: {chains: 2, draws: 40, warmup: 40, samples: 2, seed: 9}\n")
    let made = try Program.run(
      ["corrupt", "a.png", "--problem", "p.yaml", "--wide", "-o", "case", "--seed", "3"],
      in: folder)
    #expect(made.status == 0 && made.errors.isEmpty, "\(name): \(made)")
    let masks = keys.contains("mask.png") ? ["mask.png"] : []
    #expect(folder.listing("case") == ([data, "problem.yaml", "truth.png"] + masks).sorted())
    let solved = try Program.run(["solve", "case/problem.yaml", "--json"], in: folder)
    #expect(solved.status == 0, "\(name): \(solved.errors)")
    let report = try ReportFile(solved.output)
    #expect(report.model.name == "grey" && report.command == "solve" && report.seed == "9")
    #expect((report.chains, report.draws, report.warmup) == (2, 40, 40))
    #expect((report.image.observed_fraction < 1) == !masks.isEmpty)
    #expect(folder.has("case/solved/mean.png") && report.quality != nil)
    // 16 to 64 data about four coordinates.
    let fit = try #require(report.fit.chi2_per_datum)
    #expect(0.25 < fit && fit < 2.2, "\(name): chi2 per datum \(fit)")
  }

  // Fails when: one of the checks is left out; `--dry-run` leaves them out; the slope is not written.
  @Test func anUnknownSlopeIsInferredOrRefused() throws {
    let model = try PAEModel.read(path: TestModel.grey)
    let truth = try TestPicture.drawn(from: model, sigma: 0, seed: 5)
    folder.put("a.png", Picture(tensor: truth, bitDepth: 16).png)
    folder.put("b.png", TestPicture.png())
    func solve(_ pictures: [String], _ more: [String] = []) -> [String] {
      ["denoise"] + pictures
        + ["-m", TestModel.grey, "--sigma", "0.05", "--noise-spectrum", "power:auto"] + more
    }
    try expectFailure(64, ["one picture"], solve(["a.png", "b.png"]), in: folder)
    try expectFailure(64, ["clipped"], solve(["a.png"], ["--clipped", "yes"]), in: folder)
    try expectFailure(
      64, ["clipped"], solve(["a.png"], ["--clipped", "yes", "--dry-run"]), in: folder)
    try expectFailure(64, ["intensity"], solve(["a.png"], ["--residual", "intensity"]), in: folder)
    try expectFailure(
      64, ["slope"], ["corrupt", "a.png", "--noise-spectrum", "power:auto", "-o", "c"], in: folder)
    try expectFailure(
      64, ["slope"],
      ["calibrate", "-m", TestModel.grey, "--noise-spectrum", "power:auto", "-o", "c"], in: folder)
    let run = try Program.run(
      ["corrupt", "a.png", "--noise-spectrum", "power:1", "--sigma", "0.05", "--wide", "-o", "d"],
      in: folder)
    #expect(run.status == 0, "\(run)")
    for sigma in ["0.05", "auto"] {
      let solved = try Program.run(
        [
          "denoise", "d/data.png", "-m", TestModel.grey, "--noise-spectrum", "power:auto",
          "--sigma", sigma, "--chains", "2", "--draws", "40", "--warmup", "40", "--json", "-o",
          "r\(sigma)", "--clipped", "no",
        ], in: folder)
      #expect(solved.status == 0, "\(solved)")
      for word in ["\"power-inferred\"", "\"slope_mean\": ", "\"slope_sd\": "] {
        #expect(solved.output.contains(word), "\(solved.output)")
      }
      let header = String(
        decoding: try folder.bytes("r\(sigma)/posterior.safetensors").prefix(2000), as: UTF8.self)
      #expect(header.contains("\"slope\""))
    }
  }

  // Fails when: a problem's `sigma: auto` cannot be given a number, or another option is dropped.
  @Test func sigmaBesideAProblemReplacesItsOwn() throws {
    folder.put("a.png", TestPicture.png())
    put("p.yaml", "data: a.png\nnoise: {sigma: auto}\n")
    let corrupt = ["corrupt", "a.png", "--problem", "p.yaml", "-o", "case"]
    try expectFailure(64, ["--sigma"], corrupt, in: folder)
    try expectFailure(64, ["--problem"], corrupt + ["--noise-spectrum", "power:1"], in: folder)
    #expect(try Program.run(corrupt + ["--sigma", "0.25"], in: folder).status == 0)
    let text = String(decoding: try folder.bytes("case/problem.yaml"), as: UTF8.self)
    #expect(text.contains("sigma: 0.25"))
  }
}
