import Foundation
import ImageFiles
import Inversion
import Tensors
import Testing

/// What `denoise` and `inpaint` leave and say.
///
/// Seen to fail: `clippingPileUp` told that all is observed; a key of the report left out; the seed not
/// used; `--strict` without effect; a crash on every sigma map.
@Suite struct SolverCommandTests {
  private let folder = TemporaryFolder()

  /// What a result folder holds besides samples/ and modes/.
  static let files = [
    "draws.nc", "gallery.png", "map.png", "mean.png", "posterior.safetensors", "report.html",
    "report.json", "std.png",
  ]

  private func solve(
    _ arguments: [String], model: String = TestModel.grey, input: String = "/dev/null"
  ) throws -> Outcome {
    try Program.run(arguments + ["-m", model], in: folder, input: input)
  }

  private static let few = ["--chains", "4", "--draws", "30", "--warmup", "30"]

  @Test func denoiseWithTheDefaultModelLeavesTheContractsFiles() throws {
    let model = try PAEModel.read(path: Program.defaultModel)
    let drawn = try TestPicture.drawn(from: model, sigma: 0.2, seed: 3)
    folder.put("noisy.png", Picture(tensor: drawn).png)
    let outcome = try Program.run(
      ["denoise", "noisy.png", "--json", "--chains", "4", "--draws", "50", "--warmup", "50"],
      in: folder)
    #expect(outcome.status == 0)
    // The diagnostics of so few draws fail, and that is said in words.
    #expect(outcome.errors.contains("warning: noisy.png: ") && outcome.errors.contains("effective"))
    let listing = folder.listing("noisy.denoised")
    let samples = (1...16).map { String(format: "samples/%04d.png", $0) }
    let modes = listing.filter { $0.hasPrefix("modes/") }
    #expect(Set(listing) == Set(Self.files + samples + ["samples/"] + modes))
    #expect(folder.listing().allSatisfy { $0 == "noisy.png" || $0.hasPrefix("noisy.denoised/") })

    let text = String(decoding: try folder.bytes("noisy.denoised/report.json"), as: UTF8.self)
    #expect(outcome.output == text)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(ReportFile.keys.subtracting(object.keys) == [])
    let diagnostics = try #require(object["diagnostics"] as? [String: Any])
    #expect(ReportFile.diagnosticsKeys.subtracting(diagnostics.keys) == [])
    let report = try ReportFile(text)
    #expect(report.schema == 1 && report.command == "denoise" && report.seed == "1")
    #expect(report.model.sha256.count == 64 && report.quality == nil)
    #expect(
      report.image
        == .init(path: "noisy.png", width: 28, height: 28, channels: 1, observed_fraction: 1))
    #expect((report.chains, report.draws, report.warmup) == (4, 50, 50))
    let sigma = try #require(report.noise.sigma_mean)
    // Sampled well enough to tell 0.2 from its half and its double.
    #expect(0.14 < sigma && sigma < 0.28 && report.noise.sigma == nil)
    #expect(!report.diagnostics.ok && !report.diagnostics.reasons.isEmpty)
    #expect(abs(report.modes.reduce(0) { $0 + $1.weight } - 1) < 1e-4)
    #expect(report.modes.compactMap(\.file).allSatisfy { listing.contains($0) })
    #expect(["in-family", "doubtful", "out-of-family"].contains(report.prior_misfit.verdict))
    let misfit = report.prior_misfit
    #expect((0...100).contains(misfit.density_percentile) && !misfit.reason.isEmpty)
    #expect((misfit.scale_percentile == nil) == (report.noise.residual == "none"))
    // Pixels with white noise, or turned data that say why nothing is known of their neighbours.
    for p in [report.fit.correlation_p, report.fit.spectrum_p] {
      #expect(p.map { (0...1).contains($0) } ?? (report.fit.reason != nil))
    }
    #expect(report.gradients > 400 && report.seconds.total > 0)

    let posterior = try SafetensorsFile.read(
      path: folder.path + "/noisy.denoised/posterior.safetensors")
    let shape = Shape(4, 50, model.latentDimension)
    _ = try posterior.requireDoubles("u", shape)
    _ = try posterior.requireDoubles("log_density", Shape(4, 50))
    _ = try posterior.requireDoubles("sigma", Shape(4, 50))
    for name in ["mean", "std", "map"] { _ = try posterior.require(name, model.imageShape) }
    for name in ["mean.png", "std.png", "map.png", "samples/0001.png"] {
      let picture = try Picture.read(path: folder.path + "/noisy.denoised/" + name)
      #expect(picture.tensor.shape == model.imageShape && picture.bitDepth == 8)
    }
  }

  @Test func threadsDoNotChangeTheBytes() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("mask.png", TestPicture.mask)
    for (command, suffix) in [
      (["denoise", "a.png"], "denoised"),
      (["inpaint", "a.png", "--mask", "mask.png"], "inpainted"),
    ] {
      var found: [[UInt8]] = []
      var files: [[[UInt8]]] = []
      for (threads, seed) in [("1", "1"), ("2", "1"), ("2", "2")] {
        let outcome = try solve(
          command + Self.few + ["--threads", threads, "--seed", seed, "-f", "-q"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
        found.append(try folder.bytes("a.\(suffix)/posterior.safetensors"))
        files.append(
          try ["draws.nc", "report.html"].map { try folder.bytes("a.\(suffix)/" + $0) })
      }
      #expect(found[0] == found[1] && files[0] == files[1])
      #expect(found[0] != found[2] && files[0] != files[2])
    }
  }

  /// Black, white, noise: whatever lies under the mask, also where σ and the clipping are inferred.
  @Test func dataUnderTheMaskHaveNoInfluence() throws {
    folder.put("mask.png", TestPicture.mask)
    let side = TestModel.side
    var found: [[UInt8]] = []
    for hidden: Float in [0, 1, 0.37] {
      var values = TestPicture.values()
      // One visible datum at an end of the range: whether it counts as censored matters.
      values.values[0] = 0
      for row in 2...5 { for column in 2...5 { values.values[row * side + column] = hidden } }
      folder.put("a.png", Picture(tensor: values).png)
      let outcome = try solve(["inpaint", "a.png", "--mask", "mask.png", "-f"] + Self.few)
      #expect(outcome.status == 0)
      found.append(try folder.bytes("a.inpainted/posterior.safetensors"))
      #expect(try ReportFile(in: folder, "a.inpainted").image.observed_fraction == 0.75)
    }
    #expect(found[0] == found[1] && found[0] == found[2])
  }

  /// Keys go by a picture's place in the batch, so only the first one's bytes are those it has alone.
  @Test func picturesOfABatchHaveAFolderEach() throws {
    for (index, name) in ["a.png", "b.png", "c.png"].enumerated() {
      folder.put(name, TestPicture.png(seed: UInt64(index)))
    }
    let outcome = try solve(["denoise", "a.png", "b.png", "c.png", "--json"] + Self.few)
    #expect(outcome.status == 0)
    let reports = try JSONDecoder().decode([ReportFile].self, from: Data(outcome.output.utf8))
    #expect(reports.map(\.image.path) == ["a.png", "b.png", "c.png"])
    let first = try folder.bytes("a.denoised/posterior.safetensors")
    #expect(try folder.bytes("b.denoised/posterior.safetensors") != first)
    for name in ["a", "b", "c"] {
      #expect(Set(Self.files).isSubset(of: folder.listing(name + ".denoised")))
    }
    #expect(try solve(["denoise", "a.png", "-o", "alone"] + Self.few).status == 0)
    #expect(try folder.bytes("alone/posterior.safetensors") == first)
  }

  @Test func mapFindsThePictureAloneAndHMCSamples() throws {
    folder.put("a.png", TestPicture.likely())
    let map = try solve(["denoise", "a.png", "--method", "map", "--sigma", "0.1", "--strict"])
    #expect(map.status == 0 && map.errors.isEmpty)
    let listing = folder.listing("a.denoised").filter { !$0.hasPrefix("modes/") }
    #expect(
      listing == [
        "gallery.png", "map.png", "posterior.safetensors", "report.html", "report.json",
      ])
    let report = try ReportFile(in: folder, "a.denoised")
    #expect(report.method == "map" && report.noise.sigma == 0.1 && report.diagnostics.ok)
    #expect(report.diagnostics.rhat_max == nil)
    let hmc = try solve(["denoise", "a.png", "--method", "hmc", "-f"] + Self.few)
    #expect(hmc.status == 0)
    #expect(try ReportFile(in: folder, "a.denoised").method == "hmc")
  }

  @Test func strictFailsOnDiagnosticsAndOnlyThen() throws {
    folder.put("a.png", TestPicture.likely())
    let lax = try solve(["denoise", "a.png"] + Self.few)
    #expect(lax.status == 0 && lax.errors.contains("warning"))
    let strict = try solve(["denoise", "a.png", "--strict", "-f"] + Self.few)
    #expect(strict.status == 3 && strict.errors.contains("warning"))
    #expect(folder.has("a.denoised/report.json"))
    let long = try solve(["denoise", "a.png", "--strict", "-f"])
    let report = try ReportFile(in: folder, "a.denoised")
    #expect(long.status == (report.diagnostics.ok ? 0 : 3))
    #expect(report.diagnostics.ok, "\(report.diagnostics)")
  }

  @Test func aDashReadsStandardInput() throws {
    folder.put("a.png", TestPicture.png())
    let piped = try solve(["denoise", "-"] + Self.few, input: folder.path + "/a.png")
    #expect(piped.status == 0)
    #expect(try solve(["denoise", "a.png"] + Self.few).status == 0)
    #expect(
      try folder.bytes("stdin.denoised/posterior.safetensors")
        == folder.bytes("a.denoised/posterior.safetensors"))
  }

  @Test func aDryRunWritesNothing() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("mask.png", TestPicture.mask)
    let outcome = try solve(["inpaint", "a.png", "--mask", "mask.png", "--dry-run"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.contains("mask: mask.png\noutput: a.inpainted\n"))
    #expect(folder.listing() == ["a.png", "mask.png"])
  }

  @Test func theTruthAddsQuality() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("truth.png", Picture(tensor: TestPicture.values(sigma: 0)).png)
    #expect(try solve(["denoise", "a.png", "--truth", "truth.png"] + Self.few).status == 0)
    let quality = try #require(try ReportFile(in: folder, "a.denoised").quality)
    #expect(quality.psnr > 5 && quality.psnr < 60 && (-1...1).contains(quality.ssim))
    #expect((0...1).contains(try #require(quality.coverage90)))
  }

  @Test func aSigmaMapIsTakenPixelByPixel() throws {
    folder.put("a.png", TestPicture.png())
    var found: [[UInt8]] = []
    for value: Float in [0.2, 0.6] {
      var map = Tensor(shape: Shape(1, 8, 8), repeating: 0.2)
      map.values[63] = value
      folder.put("map.png", Picture(tensor: map).png)
      let arguments = ["denoise", "a.png", "--sigma-map", "map.png", "-f"]
      #expect(try solve(arguments + Self.few).status == 0)
      found.append(try folder.bytes("a.denoised/posterior.safetensors"))
    }
    #expect(found[0] != found[1])
    let noise = try ReportFile(in: folder, "a.denoised").noise
    #expect(noise.kind == "sigma-map" && noise.sigma == nil && noise.sigma_mean == nil)
  }

  /// Depth, channels and opacity of the input come back in the results.
  @Test(arguments: [1, 3], [8, 16])
  func resultsAreOfTheInputsKind(channels: Int, bits: Int) throws {
    folder.put("a.png", TestPicture.png(channels: channels, bits: bits, alpha: true))
    let model = channels == 1 ? TestModel.grey : TestModel.rgb
    let outcome = try solve(["denoise", "a.png"] + Self.few, model: model)
    #expect(outcome.status == 0 && outcome.errors.contains("opacity"))
    let input = try Picture.read(path: folder.path + "/a.png")
    for name in ["mean.png", "map.png", "samples/0016.png"] {
      let picture = try Picture.read(path: folder.path + "/a.denoised/" + name)
      #expect(picture.bitDepth == bits && picture.tensor.shape == input.tensor.shape)
      #expect(picture.alpha == input.alpha && picture.alpha != nil)
    }
    let mean = try Picture.read(path: folder.path + "/a.denoised/mean.png").tensor.values
    let file = try SafetensorsFile.read(path: folder.path + "/a.denoised/posterior.safetensors")
    let exact = try file.require("mean", input.tensor.shape)
    let step = Float(1) / Float((1 << bits) - 1)
    // Rounded to the nearest sample, clipped to the range.
    #expect(zip(mean, exact).allSatisfy { abs($0 - min(max($1, 0), 1)) < 0.51 * step })
  }
}
