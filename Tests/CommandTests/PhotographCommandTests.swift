import Foundation
import ImageFiles
import Randomness
import Tensors
import Testing

/// Pictures of any size, by the shipped priors on tiles.
@Suite struct PhotographCommandTests {
  private let folder = TemporaryFolder()

  /// Smooth ramps with an edge: C×rows×columns intensities between 0.2 and 0.8, and the same in noise of `sigma`,
  /// written wide so that nothing is clipped.
  private func write(
    channels: Int = 1, rows: Int = 40, columns: Int = 56, sigma: Double = 0.08
  ) throws {
    var truth = Tensor(shape: Shape(channels, rows, columns))
    var stream = RandomKey(seed: 5).stream()
    for index in truth.values.indices {
      let (row, column) = (index / columns % rows, index % columns)
      truth.values[index] =
        0.3 + 0.2 * Float(column) / Float(columns) + (row + column > 50 ? 0.2 : 0)
        + 0.1 * Float(index / (rows * columns))
    }
    var data = truth
    for index in data.values.indices { data.values[index] += Float(sigma * stream.normal()) }
    try Data(Picture(tensor: truth, bitDepth: 16).encoded()).write(
      to: URL(filePath: folder.path + "/truth.png"))
    try Data(Picture(tensor: data, bitDepth: 16, range: -1...2).encoded()).write(
      to: URL(filePath: folder.path + "/data.png"))
  }

  private func report(_ name: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: folder.path + "/\(name)")))
    return try #require(object as? [String: Any])
  }

  // Meant to catch: a choice of model that does not look at size and channels.
  @Test(arguments: [(1, "photo"), (3, "photo-rgb")])
  func aPictureOfAnySizeIsDenoised(_ channels: Int, _ model: String) throws {
    try write(channels: channels)
    let run = try Program.run(
      ["denoise", "data.png", "--truth", "truth.png", "--samples", "2", "-o", "out"], in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let report = try report("out/report.json")
    #expect((report["model"] as? [String: Any])?["name"] as? String == model)
    let quality = try #require(report["quality"] as? [String: Any])
    // The data have 21.9 dB; half of the noise gone is 6 dB more.
    #expect(try #require(quality["psnr"] as? Double) > 28)
    let sigma = try #require((report["noise"] as? [String: Any])?["sigma"] as? Double)
    #expect(abs(sigma / 0.08 - 1) < 0.1)
    for name in [
      "mean.png", "std.png", "map.png", "gallery.png", "report.html", "samples/0002.png",
    ] {
      #expect(FileManager.default.fileExists(atPath: folder.path + "/out/\(name)"))
    }
    let mean = try Picture.read(path: folder.path + "/out/mean.png")
    #expect(mean.tensor.shape == Shape(channels, 40, 56))
  }

  @Test func missingPixelsAreFilledAndThreadsLeaveTheSameBytes() throws {
    try write(sigma: 0.02)
    var mask = Tensor(shape: Shape(1, 40, 56))
    for index in mask.values.indices { mask.values[index] = index / 56 % 8 < 2 ? 0 : 1 }
    try Data(Picture(tensor: mask).encoded()).write(to: URL(filePath: folder.path + "/mask.png"))
    for threads in ["1", "2"] {
      let run = try Program.run(
        [
          "inpaint", "data.png", "--mask", "mask.png", "--sigma", "0.02", "--truth", "truth.png",
          "--quality", "fast", "-j", threads, "-o", "out\(threads)",
        ], in: folder)
      #expect(run.status == 0, "\(run.errors)")
    }
    let quality = try #require(
      try report("out1/report.json")["quality"] as? [String: Any])
    #expect(try #require(quality["psnr"] as? Double) > 32)
    let files = try ["1", "2"].map {
      try Data(contentsOf: URL(filePath: folder.path + "/out\($0)/posterior.safetensors"))
    }
    #expect(files[0] == files[1])
  }

  /// A dark picture in noise that a file of 8 bits cuts off at black: by its mean brightness, the mean picture of
  /// cut data is 0.02 too bright.
  ///
  // Meant to catch: clipping that the file shows and the solver is not told; a doubt where it is modelled.
  @Test func noiseCutOffAtBlackIsModelled() throws {
    var truth = Tensor(shape: Shape(1, 48, 64))
    for index in truth.values.indices { truth.values[index] = 0.04 + 0.04 * Float(index % 64) / 64 }
    var data = truth
    var stream = RandomKey(seed: 6).stream()
    for index in data.values.indices { data.values[index] += Float(0.1 * stream.normal()) }
    for (name, tensor) in [("truth", truth), ("data", data)] {
      try Data(Picture(tensor: tensor).encoded()).write(
        to: URL(filePath: folder.path + "/\(name).png"))
    }
    func solve(_ options: [String], to out: String) throws -> [String: Any] {
      let run = try Program.run(
        ["denoise", "data.png", "--truth", "truth.png", "--sigma", "0.1", "--samples", "2"]
          + ["--quality", "normal"] + options + ["-o", out], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      return try report("\(out)/report.json")
    }
    let modelled = try solve([], to: "auto")
    let plain = try solve(["--clipped", "no"], to: "no")
    func quality(_ report: [String: Any], _ key: String) throws -> Double {
      try #require((report["quality"] as? [String: Any])?[key] as? Double)
    }
    // An error of 0.02 alone is 34 dB.
    #expect(try quality(modelled, "psnr") > quality(plain, "psnr") + 3)
    #expect(try quality(modelled, "coverage90") > 0.8)
    #expect(try quality(plain, "coverage90") < 0.6)
    let diagnostics = try #require(modelled["diagnostics"] as? [String: Any])
    #expect(diagnostics["ok"] as? Bool == true)
    let notes = try #require(diagnostics["notes"] as? [String])
    #expect(notes.contains { $0.contains("cut off") })
  }

  // Meant to catch: an option that a posterior in closed form would silently not read.
  @Test(arguments: [
    (["--method", "map"], "--method"), (["--chains", "4"], "--chains"),
    (["--noise-spectrum", "power:auto"], "power:auto"), (["--residual", "none"], "--residual"),
    (["--clipped", "yes", "--noise-spectrum", "power:1"], "--clipped"),
  ])
  func optionsOfChainsAreRefused(_ options: [String], _ named: String) throws {
    try write()
    let run = try Program.run(["denoise", "data.png"] + options, in: folder)
    #expect(run.status == 64)
    #expect(run.errors.contains(named) && run.errors.contains("photo"))
  }

  @Test func qualityDoesNotGoWithTheClothes() throws {
    try write(rows: 28, columns: 28)
    let run = try Program.run(["denoise", "data.png", "--quality", "fast"], in: folder)
    #expect(run.status == 64)
    #expect(run.errors.contains("--quality"))
  }

  // Meant to catch: a problem file without a model that falls back on the clothes' size.
  @Test func aCaseOfOnesOwnIsMadeAndSolved() throws {
    try write()
    let made = try Program.run(
      ["corrupt", "truth.png", "--sigma", "0.05", "--missing", "0.3", "-o", "case"], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    let run = try Program.run(["solve", "case/problem.yaml"], in: folder)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("model photo"))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/case/solved/mean.png"))
  }

  @Test(arguments: [
    ["sample", "-m", "photo", "-o", "s.png"], ["evaluate", "photo", "mnist"],
  ])
  func commandsForOneSizeSayWhatThePriorIs(_ words: [String]) throws {
    let run = try Program.run(words, in: folder)
    #expect(run.status == 65)
    #expect(run.errors.contains("prior on tiles"))
  }

  // Meant to catch: data of half the size taken for the picture's; the spectrum not told to the tiles; draws of
  // another shape written.
  @Test func operatorsAndColouredNoiseAreTakenToo() throws {
    var truth = Tensor(shape: Shape(1, 40, 56))
    for index in truth.values.indices {
      truth.values[index] = 0.3 + (index % 56 + index / 56 > 50 ? 0.3 : 0)
    }
    var half = Tensor(shape: Shape(1, 20, 28))
    var stream = RandomKey(seed: 6).stream()
    for index in half.values.indices {
      let first = index / 28 * 2 * 56 + index % 28 * 2
      let sum = [0, 1, 56, 57].reduce(Float(0)) { $0 + truth.values[first + $1] }
      half.values[index] = sum / 4 + Float(0.02 * stream.normal())
    }
    func put(_ name: String, _ tensor: Tensor) throws {
      try Data(Picture(tensor: tensor, bitDepth: 16, range: -1...2).encoded()).write(
        to: URL(filePath: folder.path + "/" + name))
    }
    try put("truth.png", truth)
    try put("half.png", half)
    folder.put(
      "half.yaml",
      Array(
        """
        data: half.png
        truth: truth.png
        operator:
          - downsample: 2
        noise: {sigma: 0.02}
        sampling: {samples: 2}
        output: out
        """.utf8))
    let run = try Program.run(["solve", "half.yaml"], in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let solved = try report("out/report.json")
    #expect((solved["model"] as? [String: Any])?["name"] as? String == "photo")
    // Each pixel of the data put on four of the picture has 24 dB.
    #expect(try #require((solved["quality"] as? [String: Any])?["psnr"] as? Double) > 26)
    let draws = try Picture.read(path: folder.path + "/out/samples/0002.png")
    #expect(draws.tensor.shape == Shape(1, 40, 56))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/out/draws.nc"))

    let coloured = try Program.run(
      [
        "denoise", "truth.png", "--truth", "truth.png", "--sigma", "0.05", "--noise-spectrum",
        "power:1", "--samples", "1", "--quality", "fast", "-o", "col",
      ], in: folder)
    #expect(coloured.status == 0, "\(coloured.errors)")
    let noise = try #require(try report("col/report.json")["noise"] as? [String: Any])
    #expect(noise["kind"] as? String == "power" && noise["sigma"] as? Double == 0.05)
    try expectFailure(
      64, ["power:auto", "photo"],
      ["denoise", "truth.png", "--noise-spectrum", "power:auto", "-f"], in: folder)
    folder.put(
      "crop.yaml",
      Array(
        """
        data: half.png
        model: photo
        operator:
          - crop: {top: 0, left: 0, height: 20, width: 28}
        noise: {sigma: 0.02}
        """.utf8))
    try expectFailure(78, ["crop", "size"], ["solve", "crop.yaml"], in: folder)
  }

  // Meant to catch: a prior on tiles refused by `info`; tiles counted as pictures of one size.
  @Test func infoKnowsPriorsOnTiles() throws {
    let text = try Program.run(["info", "photo"], in: folder)
    #expect(text.status == 0 && text.output.contains("8x8 pixels, 63 codes, a mixture of"))
    #expect(text.output.contains("trained on: "))
    let outcome = try Program.run(["info", "photo-rgb", "--json"], in: folder)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let info = try #require(object as? [String: Any])
    #expect(info["objective"] as? String == "tiles" && info["tile"] as? Int == 8)
    #expect((info["training"] as? [String: Any])?["pictures"] as? Int ?? 0 > 20)
  }
}
