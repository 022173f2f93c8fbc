import Foundation
import ImageFiles
import Inversion
import Randomness
import Tensors
import Testing

/// `train --objective`, and the other commands on what it makes.
@Suite struct ObjectiveCommandTests {
  private let folder = TemporaryFolder()

  /// 400 IDX pictures of two random slopes with a little noise, 8×8.
  private func putPictures() {
    var stream = RandomKey(seed: 5).child("objective pictures").stream()
    let bytes = (0..<400).flatMap { _ -> [UInt8] in
      let (a, b) = (stream.normal(), stream.normal())
      return (0..<64).map {
        let (x, y) = (Double($0 % 8) / 7 - 0.5, Double($0 / 8) / 7 - 0.5)
        let value = 0.5 + 0.3 * (a * x + b * y) + 0.05 * stream.normal()
        return UInt8(min(max(value, 0), 1) * 255)
      }
    }
    folder.put("images", [0, 0, 8, 3, 0, 0, 1, 0x90, 0, 0, 0, 8, 0, 0, 0, 8] + bytes)
  }

  /// Seen to fail: `info` silent on the options.
  @Test(
    "every command takes a model of every objective",
    arguments: [
      ("ae", ["--epochs", "2"], ["objective ae"]),
      ("ppca", [], ["objective ppca", "held-out ln p(x)", "learned"]),
      ("vae", ["--epochs", "2"], ["objective vae", "held-out ELBO", "learned"]),
      (
        "beta-vae", ["--epochs", "2", "--beta", "30", "--capacity", "2"],
        ["objective beta-vae", "beta 30", "capacity 2 nats", "pixel deviation 0.1,"]
      ),
      (
        "flow-vae", ["--epochs", "2", "--pixel-deviation", "0.15"],
        ["objective flow-vae", "pixel deviation 0.15,"]
      ),
      (
        "beta0-vae", ["--epochs", "2", "--flow-epochs", "2", "--posterior-deviation", "0.2"],
        ["objective beta0-vae", "posterior deviation 0.2"]
      ),
    ])
  func commands(objective: String, options: [String], words: [String]) throws {
    putPictures()
    let batch = objective == "ppca" ? [] : ["--batch", "16"]
    let trained = try Program.run(
      ["train", "images", "-o", "m.safetensors", "--objective", objective, "--latent", "3", "-q"]
        + options + batch, in: folder)
    // 360 training pictures are more than 256 codes of a batch of 128.
    #expect(trained.status == 0 && trained.errors.isEmpty, "\(trained)")
    let info = try Program.run(["info", "m.safetensors"], in: folder)
    for word in words { #expect(info.output.contains(word), "\(info.output)") }
    let json = try Program.run(["info", "m.safetensors", "--json"], in: folder)
    #expect(json.output.contains("\"objective\": \"\(objective)\""))
    let evaluated = try Program.run(
      ["evaluate", "./m.safetensors", "images", "--json"], in: folder)
    #expect(evaluated.status == 0 && evaluated.output.contains("\"count\": 400"))
    let sampled = try Program.run(
      ["sample", "-m", "m.safetensors", "-n", "4", "-o", "prior.png"], in: folder)
    #expect(sampled.status == 0 && folder.has("prior.png"), "\(sampled)")
    folder.put("a.png", TestPicture.png())
    let solved = try Program.run(
      [
        "denoise", "a.png", "-m", "m.safetensors", "--sigma", "0.1", "--chains", "2", "--draws",
        "8", "--warmup", "8", "-q",
      ], in: folder)
    #expect(solved.status == 0, "\(solved)")
    folder.put("mask.png", TestPicture.mask)
    let filled = try Program.run(
      ["inpaint", "a.png", "-m", "m.safetensors", "--mask", "mask.png", "--method", "map"],
      in: folder)
    #expect(filled.status == 0, "\(filled)")
  }

  /// z | y ~ N(M⁻¹Wᵀ(y − μ)/v, M⁻¹), M = I + WᵀW/v, v = s² + σ² + r, with r = 1/(12·255²) of rounding and the s²
  /// that the training records. Verdicts pass from an ESS of 400 on: a mean is then within 4/√400 = 0.2 standard
  /// deviations, a standard deviation within 4/√800 = 14 %.
  ///
  /// Seen to fail: s written for s² as residual; the identity flow given a ln scale of 0.3.
  @Test("the posterior under principal components is the linear-Gaussian one")
  func closedForm() throws {
    putPictures()
    let train = ["train", "images", "-o", "m.safetensors", "--objective", "ppca", "--latent", "2"]
    #expect(try Program.run(train + ["-q"], in: folder).status == 0)
    folder.put("a.png", TestPicture.png())
    let solved = try Program.run(
      [
        "denoise", "a.png", "-m", "m.safetensors", "--sigma", "0.1", "--clipped", "no", "--chains",
        "8", "--draws", "500", "-q",
      ], in: folder)
    #expect(solved.status == 0, "\(solved)")
    #expect(try ReportFile(in: folder, "a.denoised").diagnostics.ok)
    let model = try PAEModel.read(path: folder.path + "/m.safetensors")
    let s = try #require(model.description.training?.objective?.pixelDeviation)
    let v = s * s + 0.01 + 1 / (12 * 255 * 255.0)
    let y = try Picture.read(path: folder.path + "/a.png").tensor.values
    let parameters = model.decoder.parameters.map { Double($0) }
    // A = WᵀW/v + I = [a, b; b, d], and Wᵀ(y − μ)/v.
    var (a, b, d, right) = (1.0, 0.0, 1.0, [0.0, 0.0])
    for pixel in 0..<64 {
      let (w0, w1) = (parameters[2 * pixel], parameters[2 * pixel + 1])
      let r = Double(y[pixel]) - parameters[128 + pixel]
      a += w0 * w0 / v
      b += w0 * w1 / v
      d += w1 * w1 / v
      right[0] += w0 * r / v
      right[1] += w1 * r / v
    }
    let determinant = a * d - b * b
    let mean = [
      (d * right[0] - b * right[1]) / determinant, (a * right[1] - b * right[0]) / determinant,
    ]
    let deviations = [(d / determinant).squareRoot(), (a / determinant).squareRoot()]
    let posterior = try SafetensorsFile.read(
      path: folder.path + "/a.denoised/posterior.safetensors")
    guard case .float64(let u)? = posterior.tensors.first(where: { $0.name == "u" })?.values else {
      Issue.record("no draws")
      return
    }
    let count = Double(u.count / 2)
    for k in 0..<2 {
      let values = stride(from: k, to: u.count, by: 2).map { u[$0] }
      let average = values.reduce(0, +) / count
      let squares = values.reduce(0) { $0 + ($1 - average) * ($1 - average) }
      #expect(abs(average - mean[k]) < 0.2 * deviations[k])
      #expect(abs((squares / count).squareRoot() / deviations[k] - 1) < 0.14)
    }
  }

  /// Seen to fail: the owners of an option not asked; ranges not checked.
  @Test("options of another objective, or out of range, are refused")
  func refusals() throws {
    putPictures()
    func refused(_ words: [String], _ options: String...) throws {
      try expectFailure(
        64, words, ["train", "images", "-o", "m.safetensors"] + options, in: folder)
    }
    try refused(["--beta", "beta-vae", "pae"], "--beta", "3")
    try refused(["--capacity", "vae"], "--objective", "vae", "--capacity", "3")
    try refused(["--pixel-deviation"], "--objective", "ae", "--pixel-deviation", "0.1")
    try refused(["--posterior-deviation"], "--objective", "vae", "--posterior-deviation", "0.1")
    try refused(["--beta must be"], "--objective", "beta-vae", "--beta=-1")
    try refused(["--pixel-deviation must be"], "--objective", "vae", "--pixel-deviation", "0")
    try refused(["ppca", "closed form"], "--objective", "ppca", "--resume")
    try refused(["ppca", "--epochs"], "--objective", "ppca", "--epochs", "3")
    try refused(["--flow-epochs"], "--objective", "vae", "--flow-epochs", "3")
    try refused(["--refit-residual"], "--objective", "vae", "--refit-residual", TestModel.grey)
    // Nothing is left over beside 64 components of 64 pixels.
    try expectFailure(
      65, ["components"],
      ["train", "images", "-o", "m.safetensors", "--objective", "ppca", "--latent", "64"],
      in: folder)
  }
}
